-- Grain: one row per kind of period and share of its working days that has passed tonight or on the night before.
with

running as (
    select * from {{ ref('int_calendar_periods') }}
    where is_current
),

shares as (
    select
        period_kind,
        elapsed_share
    from running
    where elapsed_share is not null

    union

    select
        period_kind,
        elapsed_share_before as elapsed_share
    from running
    where elapsed_share_before is not null
),

final as (
    select
        cast(row_number() over (order by period_kind, elapsed_share) as integer) as point_no,
        period_kind,
        elapsed_share
    from shares
)

select * from final
