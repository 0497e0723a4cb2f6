-- Grain: one node, open stage, closing month and day on which the open pipeline of that cell changed.

{{ config(materialized='view') }}

with {{ parents_and_ancestors() }},

own as (

    select * from {{ ref('int_pipeline_deltas') }}

),

{{ at_every_node('own', ['stage_no', 'close_month_no', 'day'], ['open_count', 'amount_cents', 'weighted_cents']) }}

select * from by_node
