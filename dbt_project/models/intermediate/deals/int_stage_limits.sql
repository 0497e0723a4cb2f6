-- Grain: one open stage and segment (0 for all): the days within which four fifths of deals leave it.

with company as (

    select node_no
    from {{ ref('int_nodes') }}
    where node_kind = 'company'

),

-- What mart_stage_dwell shows of the company: every stay whose entry was seen.
final as (

    select
        quantiles.stage_no,
        quantiles.segment_no,
        quantiles.p80_every_stay_all_time as p80_days,
        quantiles.left_every_stay_all_time as n_event
    from {{ ref('int_stage_dwell_quantiles') }} as quantiles
    inner join company on quantiles.node_no = company.node_no

)

select * from final
