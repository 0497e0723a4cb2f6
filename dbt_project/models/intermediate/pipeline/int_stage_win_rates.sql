-- Grain: one configured stage: what became of the deals that were in it.

{{ config(database=target.database, schema='basis') }}

{% set prior_weight = 20 %}

with stages as (

    select * from {{ ref('stg_night__stages') }}

),

entrants as (

    select
        stage_no,
        count(*) as n_closed,
        sum(case when is_deal_won then 1 else 0 end) as n_won
    from {{ ref('int_stage_spells') }}
    where is_first_entry and is_deal_closed
    group by stage_no

),

overall as (

    select
        count(*) as n_closed,
        sum(case when is_won then 1 else 0 end) as n_won
    from {{ ref('int_opportunities') }}
    where is_closed and not is_deleted

),

counted as (

    select
        stages.stage,
        stages.stage_no,
        stages.is_closed,
        stages.is_won,
        cast(coalesce(entrants.n_closed, 0) as bigint) as n_closed,
        cast(coalesce(entrants.n_won, 0) as bigint) as n_won,
        -- What to believe before any deal has been seen: the configured probability, else that of all closed deals.
        coalesce(
            stages.default_win_probability,
            case when overall.n_closed > 0 then cast(overall.n_won as double) / overall.n_closed end,
            0
        ) as prior_probability
    from stages
    cross join overall
    left join entrants on stages.stage_no = entrants.stage_no

),

-- Shrunk towards the prior as if {{ prior_weight }} more deals had behaved like it; with many deals it fades by itself.
final as (

    select
        stage,
        stage_no,
        is_closed,
        n_closed,
        n_won,
        prior_probability,
        case
            when is_won then 1.0
            when is_closed then 0.0
            else round((n_won + {{ prior_weight }} * prior_probability) / (n_closed + {{ prior_weight }}), 6)
        end as win_probability
    from counted

)

select * from final
