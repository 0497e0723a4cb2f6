-- Grain: one row per night × source × file × entity.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

source_files as (
    select * from {{ ref('stg_night__source_files') }}
),

final as (
    select
        source_files.as_of_date as night_on,
        source_files.source,
        source_files.file,
        source_files.entity,
        source_files.format,
        source_files.sha256,
        source_files.status,
        source_files.message,
        source_files.rows_in,
        source_files.rows_accepted,
        source_files.rows_quarantined,
        source_files.rows_merged,
        source_files.rows_new,
        source_files.rows_changed,
        source_files.rows_deleted,
        {{ ratio('source_files.rows_quarantined', 'source_files.rows_in') }} as quarantined_share,
        source_files.freshest_on,
        {{ days_between('source_files.freshest_on', 'source_files.as_of_date') }} as days_since_freshest,
        source_files.unknown_columns,
        source_files.as_of_date = runs.as_of_date as is_tonight,
        runs.as_of_date,
        runs.run_id
    from source_files
    cross join runs
)

select * from final
