-- Grain: one opportunity ever seen: its number in this night, and its id.

{{ config(database=target.database, schema='basis') }}

select
    okey,
    opportunity_id
from {{ ref('int_opportunities') }}
