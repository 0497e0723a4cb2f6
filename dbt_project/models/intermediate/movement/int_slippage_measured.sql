-- Grain: one period and rep node: what was expected to close in it on its fifth day, and what became of that.

with run as (

    select as_of_date from {{ ref('stg_night__run') }}

),

dates as (

    select * from {{ ref('int_dates') }}
    where day = month_start_on

),

months as (

    select * from {{ ref('stg_night__fiscal_months') }}

),

-- Each month of each period whose fifth day is over.
period_months as (

    {% for kind in ['month', 'quarter', 'year'] %}
        select
            '{{ kind }}' as period_kind,
            dates.{{ kind }}_start_on as period_start_on,
            least(dates.{{ kind }}_end_on, run.as_of_date) as closing_on,
            {{ add_days('dates.' ~ kind ~ '_start_on', 4) }} as fifth_on,
            last_months.month_no as last_month_no,
            months.month_no
        from dates
        cross join run
        inner join months on dates.month_start_on = months.month_start_on
        inner join months as last_months on dates.{{ kind }}_end_on = last_months.month_end_on
        where {{ add_days('dates.' ~ kind ~ '_start_on', 4) }} <= run.as_of_date
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

spans as (

    select
        okey,
        from_on,
        coalesce(until_on, cast('9999-12-31' as date)) as past_on,
        status,
        amount_cents,
        close_month_no,
        node_no
    from {{ ref('int_opportunity_states') }}

),

expected as (

    select
        period_months.period_kind,
        period_months.period_start_on,
        period_months.closing_on,
        period_months.last_month_no,
        spans.okey,
        spans.node_no,
        spans.amount_cents
    from period_months
    inner join spans
        on
            period_months.month_no = spans.close_month_no
            and period_months.fifth_on >= spans.from_on
            and period_months.fifth_on < spans.past_on
    where spans.status = 1

),

ended as (

    select
        expected.period_kind,
        expected.period_start_on,
        expected.node_no,
        expected.amount_cents,
        spans.status = 1 and spans.close_month_no > expected.last_month_no as has_slipped,
        spans.status = 1 and spans.close_month_no <= expected.last_month_no as is_undecided
    from expected
    inner join spans
        on
            expected.okey = spans.okey
            and expected.closing_on >= spans.from_on
            and expected.closing_on < spans.past_on

),

final as (

    select
        period_kind,
        period_start_on,
        node_no,
        cast(count(*) as bigint) as starting_deals,
        cast(sum(amount_cents) as bigint) as starting_cents,
        cast(sum(case when has_slipped then 1 else 0 end) as bigint) as slipped_deals,
        cast(sum(case when has_slipped then amount_cents else 0 end) as bigint) as slipped_cents,
        cast(sum(case when is_undecided then 1 else 0 end) as bigint) as undecided_deals,
        cast(sum(case when is_undecided then amount_cents else 0 end) as bigint) as undecided_cents
    from ended
    group by period_kind, period_start_on, node_no

)

select * from final
