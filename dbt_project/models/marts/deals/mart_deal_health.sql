-- Grain: one open opportunity.

{% set periods = ['month', 'quarter'] %}
{% set flags = [
    'is_next_step_missing', 'is_untouched', 'is_overdue', 'is_close_date_missing', 'is_amount_missing',
    'is_stage_too_long', 'is_buying_element_missing',
] %}

with run as (

    select
        as_of_date,
        run_id
    from {{ ref('stg_night__run') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}
    where not is_closed and not is_deleted

),

nodes as (

    select
        node_no,
        node_key
    from {{ ref('int_nodes') }}

),

stages as (

    select
        stage_no,
        stage
    from {{ ref('stg_night__stages') }}

),

period_ends as (

    select
        day,
        month_end_on,
        quarter_end_on
    from {{ ref('int_dates') }}

),

hygiene as (

    select
        facts.*,
        {% for flag in flags -%}
        case when {{ flag }} then 1 else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %} as flag_count,
        {% for flag in flags -%}
        case when {{ flag }} is not null then 1 else 0 end{{ ' + ' if not loop.last }}
        {%- endfor %} as flags_measured,
        case when lying_signals_measured >= lying_signals then lying_signals_found >= lying_signals end as is_lying
    from {{ ref('int_deal_hygiene') }} as facts

),

chances as (

    select * from {{ ref('int_deal_chances') }}

),

ranked as (

    select * from {{ ref('int_deal_ranks') }}

),

final as (

    select
        opportunities.opportunity_id,
        hygiene.name,
        opportunities.account_id,
        opportunities.owner_id,
        nodes.node_key,
        opportunities.segment,
        stages.stage,
        opportunities.stage_no,
        {{ cents_to_amount('opportunities.amount_cents') }} as amount,
        opportunities.created_on,
        opportunities.expected_close_on,
        {{ days_between('opportunities.created_on', 'run.as_of_date') }} as age_days,
        coalesce(pushes.push_count, 0) as push_count,
        coalesce(pushes.push_months, 0) as push_months,
        pushes.push_days,
        pushes.first_close_on as first_expected_close_on,
        pushes.last_pushed_on,
        case when hygiene.measures_expected_close then coalesce(pushes.push_months, 0) >= hygiene.serial_push_months end
            as is_slipping_serially,
        hygiene.stage_entered_on,
        hygiene.days_in_stage,
        hygiene.stage_limit_days,
        hygiene.stage_limit_basis,
        hygiene.stage_limit_n,
        hygiene.is_stage_too_long,
        hygiene.next_step,
        hygiene.next_activity_on,
        hygiene.is_next_step_missing,
        hygiene.last_touch_on,
        hygiene.working_days_since_touch,
        hygiene.no_touch_working_days,
        hygiene.is_untouched,
        hygiene.days_overdue,
        hygiene.is_overdue,
        hygiene.is_close_date_missing,
        hygiene.is_amount_missing,
        left(hygiene.gathered_list, length(hygiene.gathered_list) - 1) as gathered_elements,
        left(hygiene.missing_list, length(hygiene.missing_list) - 1) as missing_elements,
        hygiene.is_buying_element_missing,
        hygiene.flag_count,
        hygiene.flags_measured,
        hygiene.is_lying,
        snoozes.opportunity_id is not null as is_snoozed,
        snoozes.until_on as snoozed_until,
        snoozes.reason as snooze_reason,
        snoozes.snoozed_by,
        coalesce(hygiene.is_lying, false) and snoozes.opportunity_id is null as needs_push
        {%- for period in periods %},
        period_ends.{{ period }}_end_on,
        {{ days_between('run.as_of_date', 'period_ends.' ~ period ~ '_end_on') }} as {{ period }}_days_left,
        {{ period }}_chances.basis as {{ period }}_basis,
        {{ period }}_chances.basis_days as {{ period }}_basis_days,
        {{ period }}_chances.n as {{ period }}_n,
        {{ period }}_chances.won as {{ period }}_won_n,
        {{ period }}_chances.chance as {{ period }}_chance,
        {{ cents_to_amount(weighted_cents('opportunities.amount_cents', period ~ '_chances.chance')) }}
            as {{ period }}_expected_amount,
        ranked.{{ period }}_rank_in_rep,
        ranked.{{ period }}_rank_in_team,
        ranked.{{ period }}_rank_in_company
        {%- endfor %},
        run.as_of_date,
        run.run_id
    from opportunities
    cross join run
    inner join nodes on opportunities.node_no = nodes.node_no
    inner join hygiene on opportunities.okey = hygiene.okey
    inner join ranked on opportunities.okey = ranked.okey
    inner join period_ends on {{ add_days('run.as_of_date', 1) }} = period_ends.day
    {%- for period in periods %}
    left join chances as {{ period }}_chances
        on opportunities.okey = {{ period }}_chances.okey and {{ period }}_chances.period_kind = '{{ period }}'
    {%- endfor %}
    left join {{ ref('int_opportunity_pushes') }} as pushes on opportunities.okey = pushes.okey
    left join stages on opportunities.stage_no = stages.stage_no
    left join {{ ref('stg_night__snoozes') }} as snoozes on opportunities.opportunity_id = snoozes.opportunity_id

)

select * from final
