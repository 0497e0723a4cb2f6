-- Grain: one place on a leaderboard, or one who has none: board × period × rep, team or region.
with

runs as (
    select * from {{ ref('stg_night__run') }}
),

boards as (
    select * from {{ ref('stg_night__leaderboards') }}
),

periods as (
    select * from {{ ref('int_leaderboard_periods') }}
),

attainment as (
    select * from {{ ref('mart_target_attainment') }}
),

candidates as (
    select * from {{ ref('int_leaderboard_candidates') }}
),

measured as (
    select
        boards.*,
        periods.period_start_on,
        periods.period_end_on,
        periods.is_current,
        periods.prior_period_start_on,
        candidates.node_key,
        candidates.name,
        candidates.user_id,
        -- What adds up is 0 where nothing happened; a rate without a denominator is not known.
        case when boards.unit = 'percent' then results.actual else coalesce(results.actual, 0) end as value,
        results.target_base,
        results.attainment,
        case when boards.minimum_metric is not null then coalesce(volumes.actual, 0) end as volume
    from boards
    inner join periods on boards.period_kind = periods.period_kind
    inner join candidates
        on boards.board_id = candidates.board_id
            and boards.period_kind = candidates.period_kind
            and periods.period_start_on = candidates.period_start_on
    left join attainment as results
        on boards.metric = results.metric
            and boards.period_kind = results.period_kind
            and periods.period_start_on = results.period_start_on
            and candidates.node_key = results.node_key
    left join attainment as volumes
        on boards.minimum_metric = volumes.metric
            and boards.period_kind = volumes.period_kind
            and periods.period_start_on = volumes.period_start_on
            and candidates.node_key = volumes.node_key
),

-- Nothing is no achievement: on the first day of a month nobody stands first.
judged as (
    select
        *,
        case when rank_by = 'value' then cast(value as double) else attainment end as score,
        case
            when volume * 100 < minimum_hundredths then 'below minimum'
            when value is null or value <= 0 then 'no result'
            when rank_by = 'attainment' and attainment is null then 'no target'
        end as no_rank_because
    from measured
),

placed as (
    select
        *,
        case
            when no_rank_because is null
                then rank() over (
                    partition by board_id, period_kind, period_start_on, no_rank_because is null order by score desc
                )
        end as place,
        sum(case when no_rank_because is null then 1 else 0 end) over (
            partition by board_id, period_kind, period_start_on
        ) as n_ranked
    from judged
),

final as (
    select
        placed.board_id,
        placed.board_no,
        placed.name_en as board_name_en,
        placed.name_zh as board_name_zh,
        placed.metric,
        placed.rank_by,
        placed.period_kind,
        placed.period_start_on,
        placed.period_end_on,
        placed.is_current,
        placed.node_kind,
        placed.node_key,
        placed.name as node_name,
        placed.user_id,
        cast(placed.place as integer) as rank,
        cast(placed.n_ranked as bigint) as n_ranked,
        cast(before.place as integer) as previous_rank,
        cast(before.place - placed.place as integer) as rank_change,
        cast(placed.value as decimal(18, 2)) as value,
        placed.target_base,
        placed.attainment,
        cast(placed.volume as decimal(18, 2)) as volume,
        {{ cents_to_amount('placed.minimum_hundredths') }} as minimum_volume,
        placed.no_rank_because,
        case placed.no_rank_because
            when 'below minimum'
                then concat(
                    placed.minimum_name_en, ' ', {{ trimmed('cast(placed.volume as decimal(18, 2))') }},
                    ', below the minimum of ',
                    {{ trimmed(cents_to_amount('placed.minimum_hundredths')) }}
                )
            when 'no target' then 'no target in this period'
            when 'no result' then 'no result in this period'
        end as reason_en,
        case placed.no_rank_because
            when 'below minimum'
                then concat(
                    placed.minimum_name_zh, ' ', {{ trimmed('cast(placed.volume as decimal(18, 2))') }}, '，未达入榜门槛 ',
                    {{ trimmed(cents_to_amount('placed.minimum_hundredths')) }}
                )
            when 'no target' then '本期没有目标'
            when 'no result' then '本期没有结果'
        end as reason_zh,
        runs.as_of_date,
        runs.run_id
    from placed
    cross join runs
    left join placed as before
        on placed.board_id = before.board_id
            and placed.period_kind = before.period_kind
            and placed.prior_period_start_on = before.period_start_on
            and placed.node_key = before.node_key
)

select * from final
