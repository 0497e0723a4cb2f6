-- Grain: one published day, node, open stage and stated closing month in which a deal stood open.

with states as (

    select * from {{ ref('mart_pipeline_state') }}

),

days as (

    select
        day,
        is_published,
        shows_on_day_no as day_no
    from {{ ref('int_pipeline_days') }}

),

last_day as (

    select max(day_no) as last_day_no
    from days
    where is_published

),

-- Numbers of the published days that a span holds; most hold none. One that begins before the calendar holds its first.
numbered as (

    select
        states.node_key,
        states.stage,
        states.stage_no,
        states.forecast_category,
        states.close_month,
        states.open_count,
        states.open_amount,
        states.weighted_amount,
        states.as_of_date,
        states.run_id,
        coalesce(first_days.day_no, 1) as first_day_no,
        case
            when states.valid_to = states.as_of_date then last_day.last_day_no + 1
            else coalesce(past_days.day_no, 1)
        end as past_day_no
    from states
    cross join last_day
    left join days as first_days on states.valid_from = first_days.day
    left join days as past_days on {{ add_days('states.valid_to', 1) }} = past_days.day

),

repeated as (

    select
        numbered.*,
        {{ each_number('numbered.first_day_no', 'numbered.past_day_no') }} as day_no
    from numbered
    where numbered.first_day_no < numbered.past_day_no

),

final as (

    select
        days.day,
        repeated.node_key,
        repeated.stage,
        repeated.stage_no,
        repeated.forecast_category,
        repeated.close_month,
        repeated.open_count,
        repeated.open_amount,
        repeated.weighted_amount,
        repeated.as_of_date,
        repeated.run_id
    from repeated
    inner join days on repeated.day_no = days.day_no and days.is_published

)

select * from final
