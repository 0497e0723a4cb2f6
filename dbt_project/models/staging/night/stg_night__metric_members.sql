-- Grain: one stage or kind of activity that the configuration names as a metric.

with source as (

    select * from {{ source('night', 'metric_member') }}

),

final as (

    select metric
    from source

)

select * from final
