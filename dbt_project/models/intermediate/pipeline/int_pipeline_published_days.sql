-- Grain: one published day, node, open stage and stated closing month in which a deal stood open.

{{ config(database=target.database, schema='basis') }}

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

spans as (

    select * from {{ ref('int_pipeline_spans') }}

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
        spans.*,
        coalesce(first_days.day_no, 1) as first_day_no,
        case
            when spans.valid_to = run.as_of_date then last_day.last_day_no + 1
            else coalesce(past_days.day_no, 1)
        end as past_day_no
    from spans
    cross join run
    cross join last_day
    left join days as first_days on spans.valid_from = first_days.day
    left join days as past_days on {{ add_days('spans.valid_to', 1) }} = past_days.day

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
        repeated.node_no,
        repeated.stage_no,
        repeated.close_month_no,
        repeated.open_count,
        repeated.amount_cents,
        repeated.weighted_cents
    from repeated
    inner join days on repeated.day_no = days.day_no and days.is_published

)

select * from final
