-- Grain: one metric of one stage or one kind of activity that a plan, a source of targets or a contest asks for.
with

named as (
    select metric
    from {{ ref('stg_night__metric_members') }}

    union

    select metric
    from {{ ref('stg_log__targets') }}
    where metric like 'entered:%' or metric like 'activities:%'
),

final as (
    select
        metric,
        case when metric like 'entered:%' then 'entered' else 'activities' end as family,
        lower(trim(substr(metric, case when metric like 'entered:%' then 9 else 12 end))) as member
    from named
)

select * from final
