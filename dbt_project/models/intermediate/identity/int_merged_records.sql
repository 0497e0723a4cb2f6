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

-- A merge into a record that was never seen leads nowhere: what it is said of goes on counting for itself. Asked
-- of the log itself: of the state of all records, every id would be read where nobody merges any.
known_targets as (

    select distinct
        stated.kind,
        stated.target_id
    from {{ ref('stg_log__accounts') }} as log_rows
    inner join stated on log_rows.account_id = stated.target_id
    where stated.kind = 'account'

    union all

    select distinct
        stated.kind,
        stated.target_id
    from {{ ref('stg_log__opportunities') }} as log_rows
    inner join stated on log_rows.opportunity_id = stated.target_id
    where stated.kind = 'opportunity'

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
