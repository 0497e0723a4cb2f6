{#-
    The changes in the CRM's own history of opportunities, in the terms of the other models, with the number that the CRM
    gave each; a null says nothing about what it is a column of. A query, to stand alone in a CTE. `only_of` names a CTE of
    opportunities (`okey`): without any, the history is not read.
-#}
{% macro crm_changes(only_of=none) -%}
    with run as (

        select as_of_date from {{ ref('stg_night__run') }}

    ),

    opportunities as (

        select * from {{ ref('int_opportunities') }}
        {% if only_of %}where okey in (select okey from {{ only_of }}){% endif %}

    ),

    stages as (

        select
            stage,
            stage_no
        from {{ ref('stg_night__stage_names') }}

    ),

    {{ rep_nodes() }},

    rates_tonight as (

        select
            rates.currency,
            rates.rate
        from {{ ref('int_fx_rates_daily') }} as rates
        inner join run on rates.day = run.as_of_date

    ),

    history as (

        {{ current_rows('opportunity_history', with_deleted=true) }}

    )

    -- Amounts follow the rate of their deal; one in another currency than its deal, tonight's rate.
    select
        opportunities.okey,
        history.changed_at,
        history.changed_on,
        history.history_id,
        {{ listed_stage_no('opportunities.stage_no') }} as tonight_stage_no,
        coalesce(opportunities.amount_cents, 0) as tonight_amount_cents,
        coalesce({{ day_number('opportunities.expected_close_on') }}, 0) as tonight_close_day_no,
        opportunities.node_no as tonight_node_no,
        case when history.stage is not null then {{ listed_stage_no('stages.stage_no') }} end as stage_no,
        case
            when coalesce(history.currency, opportunities.currency) = opportunities.currency
                then {{ reporting_cents('history.amount', 'opportunities.rate', 'opportunities.currency',
                                        'run.as_of_date') }}
            else {{ reporting_cents('history.amount', 'rates_tonight.rate', 'history.currency', 'run.as_of_date') }}
        end as amount_cents,
        {{ day_number('history.expected_close_on') }} as close_day_no,
        reps.node_no
    from history
    cross join run
    inner join opportunities on history.opportunity_id = opportunities.opportunity_id
    left join stages on history.stage = stages.stage
    left join reps on history.owner_id = reps.user_id
    left join rates_tonight on history.currency = rates_tonight.currency
    -- A row that the CRM took back never happened. What goes together with its deal did.
    where
        history._change <> 'deleted'
        or (opportunities.is_deleted and history._observed_on >= opportunities.last_changed_on)
{%- endmacro %}
