-- Grain: one night and file.

with source as (

    select * from {{ source('night', 'source_file') }}

),

final as (

    select
        as_of_date,
        source,
        file,
        entity,
        format,
        sha256,
        status,
        message,
        rows_in,
        rows_accepted,
        rows_quarantined,
        rows_merged,
        rows_new,
        rows_changed,
        rows_deleted,
        freshest_on,
        unknown_columns,
        rows_set_aside,
        fresh_within_hours,
        notice_en,
        notice_zh,
        drift_en,
        drift_zh
    from source

)

select * from final
