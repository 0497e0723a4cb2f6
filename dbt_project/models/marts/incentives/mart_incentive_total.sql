-- Grain: one person and pay period in which a pay slip has a line.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

lines as (
    select * from {{ ref('mart_incentive') }}
),

settlements as (
    select * from {{ ref('int_incentive_settlements') }}
),

summed as (
    select
        user_id,
        user_name,
        period_kind,
        period_start_on,
        period_end_on,
        is_final,
        sum(case when line_kind in ('tier', 'bonus', 'per_unit') then amount else 0 end) as earned,
        sum(case when line_kind = 'cap' then amount else 0 end) as cap_reduction,
        sum(case when line_kind = 'clawback' then amount else 0 end) as clawback,
        sum(case when line_kind in ('draw_advance', 'draw_guarantee') then amount else 0 end) as draw_advance,
        sum(case when line_kind = 'draw_set_off' then amount else 0 end) as draw_set_off,
        sum(amount) as total,
        count(*) as lines
    from lines
    group by user_id, user_name, period_kind, period_start_on, period_end_on, is_final
),

final as (
    select
        summed.user_id,
        summed.user_name,
        summed.period_kind,
        summed.period_start_on,
        summed.period_end_on,
        summed.is_final,
        cast(summed.earned as decimal(18, 2)) as earned,
        cast(summed.cap_reduction as decimal(18, 2)) as cap_reduction,
        cast(summed.clawback as decimal(18, 2)) as clawback,
        cast(summed.draw_advance as decimal(18, 2)) as draw_advance,
        cast(summed.draw_set_off as decimal(18, 2)) as draw_set_off,
        cast(summed.total as decimal(18, 2)) as total,
        {{ cents_to_amount('settlements.owed_cents') }} as draw_owed,
        summed.lines as n_lines,
        runs.as_of_date,
        runs.run_id
    from summed
    cross join runs
    left join settlements
        on summed.user_id = settlements.user_id
            and summed.period_kind = settlements.period_kind
            and summed.period_start_on = settlements.period_start_on
)

select * from final
