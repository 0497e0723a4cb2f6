-- Grain: one person and one period that has begun and in which he was at work: his role and place at its end.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
    where has_begun
),

-- The years of plans, and the last one before the current: what is paid and what is ranked.
years as (
    select fiscal_year_start_on from {{ ref('stg_night__plan_versions') }}
    union all
    select coalesce(last_year_period_start_on, period_start_on) as fiscal_year_start_on from periods
    where period_kind = 'year' and is_current
),

first_years as (
    select min(fiscal_year_start_on) as first_on from years
),

user_rows as (
    select * from {{ ref('stg_log__users') }}
),

people as (
    select * from {{ ref('int_users') }}
),

owned as (
    select
        owners.owner_user_id as user_id,
        {{ arg_min('nodes.node_key', 'concat(nodes.level, nodes.node_key)') }} as node_key
    from {{ ref('int_node_owners') }} as owners
    inner join {{ ref('int_nodes') }} as nodes on owners.node_key = nodes.node_key
    where nodes.node_kind <> 'rep'
    group by owners.owner_user_id
),

-- Whoever disappears from the users without a last day was there until the night before.
gone as (
    select
        user_id,
        {{ add_days('max(_observed_on)', -1) }} as last_seen_on
    from user_rows
    where _change = 'deleted'
    group by user_id
),

-- What is first known of somebody holds for the time before; each later state until the next one.
states as (
    select
        user_id,
        coalesce(role, 'rep') as role,
        {{ region_node_key('region') }} as region_node_key,
        {{ team_node_key('region', 'team') }} as team_node_key,
        case
            when row_number() over (partition by user_id order by _observed_on) = 1 then cast('0001-01-01' as date)
            else _observed_on
        end as from_on,
        coalesce(
            {{ add_days('lead(_observed_on) over (partition by user_id order by _observed_on)', -1) }},
            cast('9999-12-31' as date)
        ) as until_on
    from user_rows
    where _change <> 'deleted'
),

employed as (
    select
        people.user_id,
        people.name,
        periods.period_kind,
        periods.period_start_on,
        periods.period_end_on,
        coalesce(people.left_on, case when people.is_deleted then gone.last_seen_on end) as left_on,
        least(periods.period_end_on, runs.as_of_date) as seen_on
    from people
    cross join runs
    cross join first_years
    inner join periods on first_years.first_on <= periods.fiscal_year_start_on
    left join gone on people.user_id = gone.user_id
    where
        coalesce(people.hired_on, periods.period_start_on) <= periods.period_end_on
        and coalesce(people.left_on, case when people.is_deleted then gone.last_seen_on end, periods.period_start_on)
        >= periods.period_start_on
),

final as (
    select
        employed.user_id,
        employed.name,
        employed.period_kind,
        employed.period_start_on,
        employed.period_end_on,
        states.role,
        {{ rep_node_key('employed.user_id') }} as rep_node_key,
        case states.role
            when 'manager' then coalesce(states.team_node_key, states.region_node_key, owned.node_key)
            when 'leader' then coalesce(states.region_node_key, owned.node_key, 'company')
            else {{ rep_node_key('employed.user_id') }}
        end as result_node_key,
        employed.left_on,
        least(employed.seen_on, coalesce(employed.left_on, employed.seen_on)) as seen_on
    from employed
    inner join states
        on employed.user_id = states.user_id and employed.seen_on between states.from_on and states.until_on
    left join owned on employed.user_id = owned.user_id
)

select * from final
