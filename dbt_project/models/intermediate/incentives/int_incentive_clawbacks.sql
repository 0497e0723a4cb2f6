-- Grain: one cancelled record that was paid on, one person and rule: what is taken back, where it was cancelled.
with

entitled as (
    select * from {{ ref('int_incentive_entitled') }}
    where has_clawback
),

credits as (
    select * from {{ ref('int_incentive_credits') }}
    where is_paid_on and cancelled_on is not null
),

bases as (
    select * from {{ ref('int_incentive_bases') }}
),

periods as (
    select * from {{ ref('int_periods_progressed') }}
),

paid as (
    select
        pay_no,
        sum(amount_cents) as paid_cents
    from {{ ref('int_incentive_earned') }}
    group by pay_no
),

-- At the average rate: what the rule paid then ÷ what it was paid on.
taken as (
    select
        entitled.user_id,
        entitled.rule_id,
        entitled.period_kind,
        entitled.period_start_on as original_period_start_on,
        entitled.plan_version,
        entitled.unit,
        credits.record_no,
        credits.shown_id as record_id,
        credits.booked_on,
        credits.cancelled_on,
        credits.credit_hundredths,
        bases.credited_hundredths,
        paid.paid_cents,
        -{{ rounded_part('credits.credit_hundredths', 'paid.paid_cents', 'bases.credited_hundredths') }} as amount_cents
    from credits
    inner join entitled on credits.pay_no = entitled.pay_no
    inner join bases on credits.pay_no = bases.pay_no
    inner join paid on credits.pay_no = paid.pay_no
    where paid.paid_cents > 0 and bases.credited_hundredths > 0
),

final as (
    select
        taken.user_id,
        taken.rule_id,
        taken.period_kind,
        periods.period_start_on,
        taken.plan_version,
        5 as section_no,
        row_number() over (
            partition by taken.user_id, taken.rule_id, periods.period_start_on
            order by taken.cancelled_on, taken.booked_on, taken.record_id, taken.record_no
        ) as place,
        'clawback' as line_kind,
        cast(null as decimal(18, 6)) as tier_from,
        cast(null as decimal(18, 6)) as tier_to,
        -taken.credit_hundredths as base_hundredths,
        cast({{ ratio('taken.paid_cents', 'taken.credited_hundredths') }} as decimal(18, 6)) as rate,
        taken.amount_cents,
        taken.record_id,
        taken.original_period_start_on,
        taken.cancelled_on,
        {% set value = value_text('-taken.credit_hundredths', 'taken.unit') %}
        {% set all_value = value_text('taken.credited_hundredths', 'taken.unit') %}
        {% set paid = cents_text('taken.paid_cents') %}
        {% set amount = cents_text('taken.amount_cents') %}
        concat(
            'Taken back, ', taken.record_id, ' of ', taken.booked_on, ' (paid for the ', taken.period_kind, ' from ',
            taken.original_period_start_on, '), cancelled on ', taken.cancelled_on, ': ',
            {{ value }}, ' × ', {{ paid }}, ' ÷ ', {{ all_value }}, ' = ', {{ amount }}
        ) as line_en,
        concat(
            '扣回 ', taken.record_id, '（', taken.booked_on, '，已在 ', taken.original_period_start_on, ' 起的',
            case taken.period_kind when 'month' then '月' when 'quarter' then '季度' when 'half' then '半年' else '年度' end,
            '发放，', taken.cancelled_on, ' 取消）：',
            {{ value }}, ' × ', {{ paid }}, ' ÷ ', {{ all_value }}, ' = ', {{ amount }}
        ) as line_zh
    from taken
    inner join periods
        on taken.period_kind = periods.period_kind
            and taken.cancelled_on between periods.period_start_on and periods.period_end_on
)

select * from final
