-- Grain: one currency on one day for which a rate of exchange is known.

with run as (

    select * from {{ ref('stg_night__run') }}

),

days as (

    select day from {{ ref('stg_night__calendar_days') }}
    where is_company

),

rates as (

    {{ current_rows('fx_rate') }}

),

foreign_rates as (

    select
        rates.currency,
        rates.rate,
        rates.valid_from,
        lead(rates.valid_from) over (partition by rates.currency order by rates.valid_from) as next_valid_from
    from rates
    inner join run on rates.currency <> run.reporting_currency

),

final as (

    select
        foreign_rates.currency,
        days.day,
        foreign_rates.rate
    from foreign_rates
    inner join days
        on
            foreign_rates.valid_from <= days.day
            and (foreign_rates.next_valid_from is null or foreign_rates.next_valid_from > days.day)

    union all

    select
        run.reporting_currency as currency,
        days.day,
        cast(1 as decimal(18, 8)) as rate
    from run
    cross join days

)

select * from final
