-- Grain: one row: the newest earlier night, null on the first.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

source_files as (

    select as_of_date from {{ ref('stg_night__source_files') }}

),

final as (

    select max(source_files.as_of_date) as previous_as_of_date
    from run
    left join source_files on run.as_of_date > source_files.as_of_date

)

select * from final
