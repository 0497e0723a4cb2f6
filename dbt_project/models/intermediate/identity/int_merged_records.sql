-- Grain: one account or opportunity that was merged into another one, with the record that now stands for it.

{%- set hops_doubled = 6 %}

with accounts as (

    {{ current_rows('account', with_deleted=true) }}

),

opportunities as (

    {{ current_rows('opportunity', with_deleted=true) }}

),

stated as (

    select
        'account' as kind,
        account_id as record_id,
        merged_into_id as target_id
    from accounts
    where merged_into_id is not null

    union all

    select
        'opportunity' as kind,
        opportunity_id as record_id,
        merged_into_id as target_id
    from opportunities
    where merged_into_id is not null

),

targets as (

    select distinct
        kind,
        target_id
    from stated

),

-- A merge into a record that was never seen leads nowhere: what it is said of goes on counting for itself.
known_targets as (

    select
        targets.kind,
        targets.target_id
    from accounts
    inner join targets on accounts.account_id = targets.target_id
    where targets.kind = 'account'

    union all

    select
        targets.kind,
        targets.target_id
    from opportunities
    inner join targets on opportunities.opportunity_id = targets.target_id
    where targets.kind = 'opportunity'

),

hops_0 as (

    select
        stated.kind,
        stated.record_id,
        stated.target_id
    from stated
    inner join known_targets
        on stated.kind = known_targets.kind and stated.target_id = known_targets.target_id

),

-- Each step doubles the hops: {{ 2 ** hops_doubled }} in the end, far more than a chain of merges ever has.
{%- for step in range(1, hops_doubled + 1) %}

hops_{{ step }} as (

    select
        near.kind,
        near.record_id,
        coalesce(far.target_id, near.target_id) as target_id
    from hops_{{ step - 1 }} as near
    left join hops_{{ step - 1 }} as far
        on near.kind = far.kind and near.target_id = far.record_id

),
{%- endfor %}

-- Whoever still stands before another merge after so many hops goes round in a circle.
final as (

    select
        ended.kind,
        ended.record_id,
        case when endless.record_id is null then ended.target_id else ended.record_id end as surviving_id,
        endless.record_id is not null as is_circular
    from hops_{{ hops_doubled }} as ended
    left join hops_0 as endless
        on ended.kind = endless.kind and ended.target_id = endless.record_id

)

select * from final
