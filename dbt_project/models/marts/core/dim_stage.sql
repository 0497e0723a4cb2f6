-- Grain: one configured stage.

with stages as (

    select * from {{ ref('stg_night__stages') }}

),

win_rates as (

    select * from {{ ref('int_stage_win_rates') }}

),

run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

final as (

    select
        stages.stage,
        stages.stage_no,
        stages.name_en,
        stages.name_zh,
        stages.is_closed,
        stages.is_won,
        stages.forecast_category,
        win_rates.win_probability,
        win_rates.n_closed as win_probability_n,
        win_rates.n_won as win_probability_n_won,
        win_rates.prior_probability,
        run.as_of_date,
        run.run_id
    from stages
    inner join win_rates on stages.stage_no = win_rates.stage_no
    cross join run

)

select * from final
