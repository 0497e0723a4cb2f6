{#- The entities of the change log: their staging model and key. A test holds this to the schemas. -#}
{% macro log_entities() -%}
    {{ return({
        'user': {'model': 'stg_log__users', 'key': ['user_id']},
        'account': {'model': 'stg_log__accounts', 'key': ['account_id']},
        'contact': {'model': 'stg_log__contacts', 'key': ['contact_id']},
        'lead': {'model': 'stg_log__leads', 'key': ['lead_id']},
        'opportunity': {'model': 'stg_log__opportunities', 'key': ['opportunity_id']},
        'opportunity_history': {
            'model': 'stg_log__opportunity_history', 'key': ['opportunity_id', 'changed_at', 'history_id']
        },
        'activity': {'model': 'stg_log__activities', 'key': ['activity_id']},
        'product': {'model': 'stg_log__products', 'key': ['product_id']},
        'line_item': {'model': 'stg_log__line_items', 'key': ['line_item_id']},
        'contract': {'model': 'stg_log__contracts', 'key': ['contract_id']},
        'payment': {'model': 'stg_log__payments', 'key': ['payment_id']},
        'requirement': {'model': 'stg_log__requirements', 'key': ['requirement_id']},
        'objection': {'model': 'stg_log__objections', 'key': ['objection_id']},
        'stage_progress': {'model': 'stg_log__stage_progress', 'key': ['account_name', 'stage', 'started_on']},
        'customer_record': {'model': 'stg_log__customer_records', 'key': ['account_name', 'contact_name']},
        'store': {'model': 'stg_log__stores', 'key': ['store_id']},
        'store_visit': {'model': 'stg_log__store_visits', 'key': ['visit_id']},
        'target': {
            'model': 'stg_log__targets',
            'key': ['plan_version', 'metric', 'period_kind', 'period_start_on', 'node_kind', 'node_name'],
        },
        'headcount': {'model': 'stg_log__headcount', 'key': ['user_id']},
        'initiative': {'model': 'stg_log__initiatives', 'key': ['initiative_id']},
        'fx_rate': {'model': 'stg_log__fx_rates', 'key': ['currency', 'valid_from']},
        'identity_link': {'model': 'stg_log__identity_links', 'key': ['kind', 'source_name', 'name']},
    }) }}
{%- endmacro %}

{#-
    The state of an entity as of the night: the newest row of each key, without deleted ones unless `with_deleted`. A query,
    to stand alone in a CTE. Columns are those of the staging model and `_first_observed_on`, the day that first shows the key.

    A key has several rows only if one of them says `changed` or `deleted`. These are few beside a big first night, so
    they alone are grouped, and all other rows stream past a small hash table; no window sees the whole log.

    Every reader decodes the keys of the whole log for that. It costs nothing where the reader needs the key itself, as
    with leads and deals. Where the keys are millions and none of the readers wants them, a model does it once for all,
    and readers leave rows out by their place in the log: `int_activities`.
-#}
{% macro current_rows(entity, with_deleted=false) -%}
    {%- set model = ref(log_entities()[entity]['model']) -%}
    {%- set key = log_entities()[entity]['key'] -%}
    with touched_keys as (

        select distinct {{ key | join(', ') }}
        from {{ model }}
        where _change <> 'new'

    ),

    touched as (

        select
            {% for column in key %}log_rows.{{ column }}, {% endfor %}
            max(log_rows._observed_on) as _last_observed_on,
            min(log_rows._observed_on) as _first_observed_on
        from {{ model }} as log_rows
        inner join touched_keys
            on {% for column in key %}log_rows.{{ column }} = touched_keys.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
        group by {% for column in key %}log_rows.{{ column }}{{ ', ' if not loop.last }}{% endfor %}

    )

    select
        log_rows.*,
        coalesce(touched._first_observed_on, log_rows._observed_on) as _first_observed_on
    from {{ model }} as log_rows
    left join touched
        on {% for column in key %}log_rows.{{ column }} = touched.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    where
        (touched._last_observed_on is null or touched._last_observed_on = log_rows._observed_on)
        {% if not with_deleted %}and log_rows._change <> 'deleted'{% endif %}
{%- endmacro %}
