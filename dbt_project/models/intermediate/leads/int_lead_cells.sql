-- Grain: one combination of source, quality, industry and segment that leads have stated, on whatever night.

with stated as (

    select distinct
        source,
        quality,
        industry,
        segment
    from {{ ref('stg_log__leads') }}

),

final as (

    select
        {{ dense_key('source, quality, industry, segment') }} as cell_no,
        source,
        quality,
        industry,
        segment
    from stated

)

select * from final
