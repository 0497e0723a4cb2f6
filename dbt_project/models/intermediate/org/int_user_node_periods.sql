-- Grain: one stay of a person in one place of the organisation.

with users as (

    select
        user_id,
        name,
        _observed_on,
        _change = 'deleted' as is_deleted,
        {{ region_node_key('region') }} as region_node_key,
        {{ team_node_key('region', 'team') }} as team_node_key,
        region,
        team
    from {{ ref('stg_log__users') }}

),

placed as (

    select
        users.*,
        coalesce(team_node_key, region_node_key, 'company') as parent_node_key
    from users

),

compared as (

    select
        placed.*,
        lag(parent_node_key) over (partition by user_id order by _observed_on) as previous_parent_node_key,
        lag(is_deleted) over (partition by user_id order by _observed_on) as was_deleted,
        lead(_observed_on) over (partition by user_id order by _observed_on) as next_valid_from
    from placed

),

numbered as (

    select
        compared.*,
        sum(
            case
                when previous_parent_node_key = parent_node_key and is_deleted = was_deleted then 0
                else 1
            end
        ) over (partition by user_id order by _observed_on rows between unbounded preceding and current row) as stay_no
    from compared

),

-- A move or a disappearance ends a stay; the name is the one last written during it.
stays as (

    select
        numbered.*,
        min(_observed_on) over (partition by user_id, stay_no) as valid_from,
        row_number() over (partition by user_id, stay_no order by _observed_on desc) as row_from_last
    from numbered

),

final as (

    select
        user_id,
        name,
        region,
        team,
        region_node_key,
        team_node_key,
        parent_node_key,
        valid_from,
        {{ add_days('next_valid_from', -1) }} as valid_to
    from stays
    where row_from_last = 1 and not is_deleted

)

select * from final
