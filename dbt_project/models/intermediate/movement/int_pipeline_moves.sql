-- Grain: one window, scope, deal and rep node: how the deal stood there, joined, changed, left.

{{ config(database=target.database, schema='basis') }}

{{ pipeline_moves(ref('int_opportunity_states'), ref('int_waterfall_windows')) }}
