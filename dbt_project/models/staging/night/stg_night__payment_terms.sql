-- Grain: one instalment that a wording of payment terms states.

with source as (

    select * from {{ source('night', 'payment_terms') }}

),

final as (

    select
        payment_terms,
        installment,
        kind,
        share_bp,
        days
    from source

)

select * from final
