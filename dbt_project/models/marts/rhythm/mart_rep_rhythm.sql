-- Grain: one rep and ISO week of the last 26 in which the rep had anything in hand.

{#
    Peers are all other reps of the company who are there tonight. Scores are pulled towards 1 by five deals of an
    ordinary peer, so that a rep with hardly any deals stands neither first nor last.
#}
{% set ordinary_deals = 5 %}

with run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

weeks as (

    select * from {{ ref('int_weeks') }}
    where is_shown

),

rep_weeks as (

    select * from {{ ref('int_rep_weeks') }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

company as (

    select
        week_no,
        count(*) as reps,
        sum(piled) as piled,
        sum(moves_13w) as moves_13w,
        sum(steps_13w) as steps_13w,
        sum(activities_13w) as activities_13w
    from rep_weeks
    where is_active
    group by week_no

),

beside_peers as (

    select
        rep_weeks.*,
        company.reps - 1 as peers,
        case when company.moves_13w > rep_weeks.moves_13w
            then
                cast(rep_weeks.moves_13w as double) * (company.piled - rep_weeks.piled)
                / (company.moves_13w - rep_weeks.moves_13w)
        end as expected_piled,
        case when company.activities_13w > rep_weeks.activities_13w
            then
                cast(rep_weeks.activities_13w as double) * (company.steps_13w - rep_weeks.steps_13w)
                / (company.activities_13w - rep_weeks.activities_13w)
        end as expected_steps,
        {{ ratio('company.activities_13w - rep_weeks.activities_13w', 'company.reps - 1') }} as peer_activities_13w
    from rep_weeks
    left join company on rep_weeks.week_no = company.week_no and rep_weeks.is_active

),

scored as (

    select
        beside_peers.*,
        round((piled + {{ ordinary_deals }}) / (expected_piled + {{ ordinary_deals }}), 6) as piling_score,
        activities_13w >= peer_activities_13w and steps_13w + 2 * sqrt(expected_steps) < expected_steps
            as is_busy_not_effective
    from beside_peers

),

final as (

    select
        nodes.node_key,
        weeks.week_start_on,
        weeks.week_end_on,
        weeks.is_running,
        weeks.working_days,
        weeks.working_days_passed,
        scored.is_active,
        scored.open_before,
        scored.taken_in,
        scored.handed_over,
        scored.advanced,
        scored.won,
        scored.lost,
        scored.removed,
        scored.open_count,
        {{ cents_to_amount('scored.open_cents') }} as open_amount,
        scored.piled as piled_count,
        scored.activities,
        scored.deals_touched,
        scored.moves_13w,
        scored.steps_13w,
        scored.activities_13w,
        cast(scored.peers as bigint) as peers,
        round(scored.expected_piled, 6) as expected_piled,
        scored.piling_score,
        case
            when scored.piling_score is not null
                then cast(rank() over (
                    partition by scored.week_no order by coalesce(scored.piling_score, -1) desc
                ) as integer)
        end as piling_rank,
        round(scored.peer_activities_13w, 6) as peer_activities_13w,
        round(scored.expected_steps, 6) as expected_steps,
        scored.is_busy_not_effective,
        run.as_of_date,
        run.run_id
    from scored
    cross join run
    inner join weeks on scored.week_no = weeks.week_no
    inner join nodes on scored.node_no = nodes.node_no

)

select * from final
