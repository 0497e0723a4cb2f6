{#- Aggregates and expressions that engines spell differently. -#}

{#- Value of `value` in the row with the greatest `order_by`. -#}
{% macro arg_max(value, order_by) -%}
    {{ return(adapter.dispatch('arg_max', 'planloop')(value, order_by)) }}
{%- endmacro %}

{% macro default__arg_max(value, order_by) -%}
    max_by({{ value }}, {{ order_by }})
{%- endmacro %}

{% macro duckdb__arg_max(value, order_by) -%}
    arg_max({{ value }}, {{ order_by }})
{%- endmacro %}


{#- Value of `value` in the row with the least `order_by`. -#}
{% macro arg_min(value, order_by) -%}
    {{ return(adapter.dispatch('arg_min', 'planloop')(value, order_by)) }}
{%- endmacro %}

{% macro default__arg_min(value, order_by) -%}
    min_by({{ value }}, {{ order_by }})
{%- endmacro %}

{% macro duckdb__arg_min(value, order_by) -%}
    arg_min({{ value }}, {{ order_by }})
{%- endmacro %}


{#- The value at `share` of the ordered values, one of the values themselves, so that whole numbers stay whole. -#}
{% macro quantile_of(value, share) -%}
    {{ return(adapter.dispatch('quantile_of', 'planloop')(value, share)) }}
{%- endmacro %}

{% macro default__quantile_of(value, share) -%}
    percentile_disc({{ share }}) within group (order by {{ value }})
{%- endmacro %}

{% macro duckdb__quantile_of(value, share) -%}
    quantile_disc({{ value }}, {{ share }})
{%- endmacro %}


{#- Fails the query with `message` (an SQL text expression) in the row that evaluates it. -#}
{% macro fail_with(message) -%}
    {{ return(adapter.dispatch('fail_with', 'planloop')(message)) }}
{%- endmacro %}

{% macro default__fail_with(message) -%}
    raise_error({{ message }})
{%- endmacro %}

{% macro duckdb__fail_with(message) -%}
    error({{ message }})
{%- endmacro %}


{#- Select-list expression: an integer that stands for the row, dense, in no promised order. -#}
{% macro dense_key(order_by) -%}
    {{ return(adapter.dispatch('dense_key', 'planloop')(order_by)) }}
{%- endmacro %}

{% macro default__dense_key(order_by) -%}
    cast(row_number() over (order by {{ order_by }}) as int)
{%- endmacro %}

{#-
    An ordered row number would sort every text key only to forget it. An unordered one sorts nothing; over a table it
    streams, over most joins DuckDB gathers the rows first: 0.1 to 0.4 CPU-s for a million wide ones.
-#}
{% macro duckdb__dense_key(order_by) -%}
    cast(row_number() over () as integer)
{%- endmacro %}


{#- Select-list columns `_log_file` and `_log_row`: the file that a row is read from, and its number there, from 0. -#}
{% macro place_in_log() -%}
    {{ return(adapter.dispatch('place_in_log', 'planloop')()) }}
{%- endmacro %}

{% macro default__place_in_log() -%}
    _metadata.file_path as _log_file,
    _metadata.row_index as _log_row
{%- endmacro %}

{% macro duckdb__place_in_log() -%}
    filename as _log_file,
    file_row_number as _log_row
{%- endmacro %}
