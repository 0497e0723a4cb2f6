-- Grain: one open stage and segment ('all' for the company): the days within which four fifths of deals leave it.

with company as (

    select node_no
    from {{ ref('int_nodes') }}
    where node_kind = 'company'

),

-- The same curve as in mart_stage_dwell: every stay whose entry was seen.
final as (

    select
        curves.stage_no,
        curves.segment,
        cast(
            min(case when round(curves.still_there_every_stay_all_time, 9) <= 0.2 then curves.dwell_days end) as integer
        ) as p80_days,
        cast(sum(curves.left_every_stay_all_time) as bigint) as n_event
    from {{ ref('int_stage_dwell_curves') }} as curves
    inner join company on curves.node_no = company.node_no
    group by curves.stage_no, curves.segment

)

select * from final
