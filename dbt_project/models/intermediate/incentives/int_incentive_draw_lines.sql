-- Grain: one line of a pay slip about a person's draw in a pay period: advanced, set off, forgiven, owed.
with

settlements as (
    select
        *,
        -- What was owed and advanced, less what is owed on, is what was set off.
        owed_before_cents + recoverable_cents - owed_cents + guaranteed_set_off_cents as set_off_cents
    from {{ ref('int_incentive_settlements') }}
),

worded as (
    {% set owed_before = cents_text('owed_before_cents') %}
    {% set advanced = cents_text('recoverable_cents') %}
    {% set guaranteed = cents_text('guaranteed_cents') %}
    {% set forgiven = cents_text('guaranteed_cents - guaranteed_set_off_cents') %}
    {% set earned = cents_text('earned_cents') %}
    {% set set_off = cents_text('set_off_cents') %}
    select
        *,
        1 as place,
        'draw_advance' as line_kind,
        recoverable_cents as base_hundredths,
        recoverable_cents as amount_cents,
        concat('Advanced in this period, owed until earned: ', {{ advanced }}) as line_en,
        concat('本期预支（需以收入抵扣）：', {{ advanced }}) as line_zh
    from settlements
    where recoverable_cents > 0

    union all

    select
        *,
        2 as place,
        'draw_guarantee' as line_kind,
        guaranteed_cents as base_hundredths,
        guaranteed_cents as amount_cents,
        concat('Guaranteed in this period: ', {{ guaranteed }}) as line_en,
        concat('本期保底：', {{ guaranteed }}) as line_zh
    from settlements
    where guaranteed_cents > 0

    union all

    select
        *,
        3 as place,
        'draw_set_off' as line_kind,
        earned_cents as base_hundredths,
        -set_off_cents as amount_cents,
        concat(
            'Set off: earned ', {{ earned }}, '; owed before ', {{ owed_before }}, ', advanced ', {{ advanced }},
            ', guaranteed ', {{ guaranteed }}, ': -', {{ set_off }}
        ) as line_en,
        concat(
            '抵扣：本期收入 ', {{ earned }}, '；前期欠 ', {{ owed_before }}, '，本期预支 ', {{ advanced }}, '，保底 ',
            {{ guaranteed }}, '：-', {{ set_off }}
        ) as line_zh
    from settlements
    where set_off_cents > 0

    union all

    select
        *,
        4 as place,
        'draw_forgiven' as line_kind,
        guaranteed_cents - guaranteed_set_off_cents as base_hundredths,
        cast(0 as bigint) as amount_cents,
        concat('Guaranteed and not earned, not owed: ', {{ forgiven }}) as line_en,
        concat('保底未抵扣部分，不再追回：', {{ forgiven }}) as line_zh
    from settlements
    where guaranteed_cents > guaranteed_set_off_cents

    union all

    select
        *,
        5 as place,
        'draw_owed' as line_kind,
        owed_cents as base_hundredths,
        cast(0 as bigint) as amount_cents,
        concat('Owed on, into the next period: ', {{ cents_text('owed_cents') }}) as line_en,
        concat('结转下期待抵扣：', {{ cents_text('owed_cents') }}) as line_zh
    from settlements
    where owed_cents > 0
),

final as (
    select
        user_id,
        '(draw)' as rule_id,
        period_kind,
        period_start_on,
        plan_version,
        cast(null as date) as original_period_start_on,
        6 as section_no,
        place,
        line_kind,
        cast(null as decimal(18, 6)) as tier_from,
        cast(null as decimal(18, 6)) as tier_to,
        base_hundredths,
        cast(null as decimal(18, 6)) as rate,
        amount_cents,
        cast(null as {{ dbt.type_string() }}) as record_id,
        cast(null as date) as cancelled_on,
        line_en,
        line_zh
    from worded
)

select * from final
