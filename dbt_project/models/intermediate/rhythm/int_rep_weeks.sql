-- Grain: one rep node and week in which it had anything in hand, or had in the 12 weeks before; with its 13-week sums.

{% set moves = ['taken_in', 'handed_over', 'advanced', 'won', 'lost', 'removed'] %}
{% set measures = moves + ['activities', 'deals_touched', 'open_count', 'open_cents', 'piled'] %}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

weeks as (

    select * from {{ ref('int_weeks') }}

),

load as (

    select
        node_no,
        week_no,
        {{ sum_each(['open_count', 'open_cents', 'piled']) }}
    from {{ ref('int_rep_week_load') }}
    group by node_no, week_no

),

nodes as (

    select node_no from {{ ref('int_rep_week_moves') }}
    union
    select node_no from {{ ref('int_rep_week_touches') }}
    union
    select node_no from load

),

-- Who left is no peer, nor is the place of deals that nobody owns.
reps as (

    select
        nodes.node_no,
        int_nodes.user_id is not null
        and int_nodes.valid_to is null
        and coalesce(users.is_active, true)
        and coalesce(users.left_on > run.as_of_date, true) as is_active
    from nodes
    cross join run
    inner join {{ ref('int_nodes') }} as int_nodes on nodes.node_no = int_nodes.node_no
    left join {{ ref('int_users') }} as users on int_nodes.user_id = users.user_id

),

filled as (

    select
        reps.node_no,
        reps.is_active,
        weeks.week_no,
        {%- for move in moves %}
        coalesce(moves.{{ move }}, 0) as {{ move }},
        {%- endfor %}
        coalesce(touches.activities, 0) as activities,
        coalesce(touches.deals_touched, 0) as deals_touched,
        coalesce(load.open_count, 0) as open_count,
        coalesce(load.open_cents, 0) as open_cents,
        coalesce(load.piled, 0) as piled
    from reps
    cross join weeks
    left join {{ ref('int_rep_week_moves') }} as moves
        on reps.node_no = moves.node_no and weeks.week_no = moves.week_no
    left join {{ ref('int_rep_week_touches') }} as touches
        on reps.node_no = touches.node_no and weeks.week_no = touches.week_no
    left join load on reps.node_no = load.node_no and weeks.week_no = load.week_no

),

summed as (

    select
        filled.*,
        lag(open_count) over by_week as open_before,
        sum(advanced + won + lost) over last_13 as moves_13w,
        sum(advanced + won) over last_13 as steps_13w,
        sum(activities) over last_13 as activities_13w,
        sum(taken_in + open_count) over last_13 as in_hand_13w
    from filled
    window
        by_week as (partition by node_no order by week_no),
        last_13 as (partition by node_no order by week_no rows between 12 preceding and current row)

),

final as (

    select
        node_no,
        week_no,
        is_active,
        cast(open_before as bigint) as open_before,
        {%- for measure in measures %}
        cast({{ measure }} as bigint) as {{ measure }},
        {%- endfor %}
        cast(moves_13w as bigint) as moves_13w,
        cast(steps_13w as bigint) as steps_13w,
        cast(activities_13w as bigint) as activities_13w
    from summed
    where moves_13w > 0 or activities_13w > 0 or in_hand_13w > 0

)

select * from final
