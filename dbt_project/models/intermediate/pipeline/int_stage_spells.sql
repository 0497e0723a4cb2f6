-- Grain: one stay of one opportunity in one open stage, of deals that are there tonight.

{{ config(materialized='view') }}

with final as (

    select * from {{ ref('int_stage_spells_of_all_deals') }}
    where not is_deal_deleted

)

select * from final
