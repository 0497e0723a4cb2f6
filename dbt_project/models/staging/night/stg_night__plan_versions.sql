-- Grain: one version of a plan file.

with source as (

    select * from {{ source('night', 'plan_version') }}

),

final as (

    select
        plan_version,
        fiscal_year,
        fiscal_year_start_on,
        effective_on,
        decided_on,
        decided_by,
        reason,
        supersedes,
        flavour,
        fingerprint
    from source

)

select * from final
