-- Grain: one segment that deals have stated, on whatever night, by its number; 0 is all of them together.

{{ config(database=target.database, schema='basis') }}

with stated as (

    select distinct {{ stated_value('segment') }} as segment
    from {{ ref('stg_log__opportunities') }}

),

final as (

    select
        {{ dense_key('segment') }} as segment_no,
        segment
    from stated

    union all

    select
        {{ all_segments_no() }} as segment_no,
        'all' as segment

)

select * from final
