{#- Where won opportunities are the bookings, number and amount are those of fct_opportunity, whoever owns them. -#}
{% test bookings_agree_with_their_source(model) %}

with booked as (

    select
        count(*) as n,
        coalesce(sum(amount), 0) as amount
    from {{ model }}
    where booking_kind = 'opportunity'

),

won as (

    select
        count(*) as n,
        coalesce(sum(opportunities.amount), 0) as amount
    from {{ ref('fct_opportunity') }} as opportunities
    inner join {{ ref('stg_night__run') }} as run on run.bookings_from = 'opportunity'
    where opportunities.is_won and opportunities.closed_on <= run.as_of_date

)

select
    booked.n as n_booked,
    won.n as n_won,
    booked.amount as amount_booked,
    won.amount as amount_won
from booked
cross join won
where booked.n <> won.n or booked.amount <> won.amount

{% endtest %}
