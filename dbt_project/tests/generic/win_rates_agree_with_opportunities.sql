{#- The company's months together hold every deal that has closed, and every deal that is there once where it began. -#}
{% test win_rates_agree_with_opportunities(model) %}

with counted as (

    select
        coalesce(sum(won_count), 0) as n_won,
        coalesce(sum(lost_count), 0) as n_lost,
        coalesce(sum(closed_won_amount), 0) as won_amount,
        coalesce(sum(created_n + created_undated_n), 0) as n_created,
        coalesce(sum(created_n - created_won_n - created_lost_n - created_open_n), 0) as n_unaccounted
    from {{ model }}
    where period_kind = 'month' and node_key = 'company' and segment = 'all'

),

opportunities as (

    select
        coalesce(sum(case when is_won and closed_on <= as_of_date then 1 else 0 end), 0) as n_won,
        coalesce(sum(case when is_closed and not is_won and closed_on <= as_of_date then 1 else 0 end), 0) as n_lost,
        coalesce(sum(case when is_won and closed_on <= as_of_date then amount end), 0) as won_amount
    from {{ ref('fct_opportunity') }}
    where closed_on >= (select min(day) from {{ ref('dim_date') }})

),

began as (

    select count(*) as n_created
    from {{ ref('fct_opportunity') }}
    where created_on between (select min(day) from {{ ref('dim_date') }}) and (select max(day) from {{ ref('dim_date') }})

)

select
    counted.*,
    opportunities.n_won as n_won_there,
    opportunities.n_lost as n_lost_there,
    began.n_created as n_created_there
from counted
cross join opportunities
cross join began
where
    counted.n_won <> opportunities.n_won
    or counted.n_lost <> opportunities.n_lost
    or counted.won_amount <> opportunities.won_amount
    or counted.n_created <> began.n_created
    or counted.n_unaccounted <> 0

{% endtest %}
