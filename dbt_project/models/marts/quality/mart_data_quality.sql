-- Grain: one row per night × source × file × entity.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

source_files as (
    select * from {{ ref('stg_night__source_files') }}
),

calendar_days as (
    select * from {{ ref('int_dates') }}
),

-- Working days since the calendar began: their difference is the number of working days between two days.
working_days as (
    select
        day,
        sum(case when is_working_day then 1 else 0 end) over (
            order by day
            rows between unbounded preceding and current row
        ) as working_days_passed
    from calendar_days
),

-- A source is as fresh as the newest record that any of its files has brought up to the night, not as each file.
known as (
    select
        source_files.*,
        max(case when source_files.status = 'accepted' then source_files.freshest_on end) over (
            partition by source_files.source, source_files.entity
            order by source_files.as_of_date
            range between unbounded preceding and current row
        ) as source_freshest_on
    from source_files
),

aged as (
    select
        known.*,
        case
            when known.source_freshest_on >= known.as_of_date then 0
            else 24 * (nights.working_days_passed - newest.working_days_passed)
        end as hours_old
    from known
    left join working_days as nights on known.as_of_date = nights.day
    left join working_days as newest on known.source_freshest_on = newest.day
),

final as (
    select
        aged.as_of_date as night_on,
        aged.source,
        aged.file,
        aged.entity,
        aged.format,
        aged.sha256,
        aged.status,
        aged.message,
        aged.rows_in,
        aged.rows_accepted,
        aged.rows_quarantined,
        aged.rows_merged,
        coalesce(aged.rows_set_aside, 0) as rows_set_aside,
        aged.rows_new,
        aged.rows_changed,
        aged.rows_deleted,
        {{ ratio('aged.rows_quarantined', 'aged.rows_in') }} as quarantined_share,
        aged.freshest_on,
        {{ days_between('aged.freshest_on', 'aged.as_of_date') }} as days_since_freshest,
        cast(aged.hours_old as integer) as hours_old,
        aged.fresh_within_hours,
        aged.hours_old > aged.fresh_within_hours as is_stale,
        aged.unknown_columns,
        aged.notice_en,
        aged.notice_zh,
        aged.drift_en,
        aged.drift_zh,
        aged.as_of_date = runs.as_of_date as is_tonight,
        runs.as_of_date,
        runs.run_id
    from aged
    cross join runs
)

select * from final
