-- Grain: one period (month, quarter, fiscal year), node and segment ('all' and each) in which a deal closed or began.

with outcomes as (

    select * from {{ ref('int_win_outcomes_rolled_up') }}

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

segments as (

    select * from {{ ref('int_segments') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

-- A cohort has an age once its youngest deal has it.
final as (

    select
        outcomes.period_kind,
        outcomes.period_start_on,
        outcomes.period_end_on,
        nodes.node_key,
        segments.segment,
        outcomes.won_count,
        outcomes.lost_count,
        outcomes.won_count + outcomes.lost_count as closed_n,
        round({{ ratio('outcomes.won_count', 'outcomes.won_count + outcomes.lost_count') }}, 6) as win_rate_close_n,
        {{ cents_to_amount('coalesce(outcomes.won_cents, 0)') }} as closed_won_amount,
        {{ cents_to_amount('coalesce(outcomes.lost_cents, 0)') }} as closed_lost_amount,
        outcomes.won_priced_n + outcomes.lost_priced_n as priced_n,
        round(
            {{ ratio('coalesce(outcomes.won_cents, 0)',
                     'coalesce(outcomes.won_cents, 0) + coalesce(outcomes.lost_cents, 0)') }}, 6
        ) as win_rate_close_v,
        outcomes.created_n,
        outcomes.created_won_n,
        outcomes.created_lost_n,
        outcomes.created_open_n,
        outcomes.created_undated_n,
        outcomes.created_deleted_n,
        {% for age in cohort_ages() -%}
            {% set is_old_enough = add_days('outcomes.period_end_on', age) ~ ' <= run.as_of_date' -%}
            case when {{ is_old_enough }} then outcomes.won_within_{{ age }}d_n end as won_within_{{ age }}d_n,
            case
                when {{ is_old_enough }}
                    then round({{ ratio('outcomes.won_within_' ~ age ~ 'd_n', 'outcomes.created_n') }}, 6)
            end as win_rate_created_{{ age }}d,
        {% endfor -%}
        run.as_of_date,
        run.run_id
    from outcomes
    cross join run
    inner join segments on outcomes.segment_no = segments.segment_no
    inner join nodes on outcomes.node_no = nodes.node_no

)

select * from final
