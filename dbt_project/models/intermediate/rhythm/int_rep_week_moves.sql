-- Grain: one rep node and week in which one of its deals moved: what came in, went on and left.

with first_week as (

    select min(week_start_on) as starts_on
    from {{ ref('int_weeks') }}

),

states as (

    select
        states.*,
        {{ week_number('states.event_on') }} as week_no
    from {{ ref('int_rep_deal_states') }} as states
    cross join first_week
    where states.event_on >= first_week.starts_on

),

moves as (

    select
        node_no,
        week_no,
        case when is_taken_in then 1 else 0 end as taken_in,
        0 as handed_over,
        case when is_advanced then 1 else 0 end as advanced,
        case when is_won then 1 else 0 end as won,
        case when is_lost then 1 else 0 end as lost,
        case when is_removed then 1 else 0 end as removed
    from states
    where is_taken_in or is_advanced or is_won or is_lost or is_removed

    union all

    select
        previous_node_no as node_no,
        week_no,
        0 as taken_in,
        1 as handed_over,
        0 as advanced,
        0 as won,
        0 as lost,
        0 as removed
    from states
    where is_handed_over

),

final as (

    select
        node_no,
        week_no,
        {{ sum_each(['taken_in', 'handed_over', 'advanced', 'won', 'lost', 'removed']) }}
    from moves
    group by node_no, week_no

)

select * from final
