-- Grain: one board and kind of period.

with source as (

    select * from {{ source('night', 'leaderboard') }}

),

final as (

    select
        board_id,
        board_no,
        name_en,
        name_zh,
        metric,
        metric_name_en,
        metric_name_zh,
        unit,
        period_kind,
        node_kind,
        rank_by,
        minimum_metric,
        minimum_name_en,
        minimum_name_zh,
        minimum_hundredths,
        is_for_reps,
        is_for_managers,
        is_for_leaders
    from source

)

select * from final
