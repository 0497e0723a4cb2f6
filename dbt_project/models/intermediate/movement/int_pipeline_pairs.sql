-- Grain: one window and deal that was open at one of its ends, or closed in it: how it stood at both.

{{ config(database=target.database, schema='basis') }}

{{ pipeline_pairs(ref('int_opportunity_states'), ref('int_waterfall_windows')) }}
