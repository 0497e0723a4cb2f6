{#-
    Tables of a candidate are made once, in files that are new with every night: so a table is created under its own
    name, by one statement. The adapter's own way (make it under another name, rename, drop the one before) is for
    tables that somebody reads meanwhile, and costs more than most models of a small company. A table that a person's
    earlier run by hand has left is dropped first. Contracts are enforced by `create_table_as` as ever.
-#}
{% materialization table, adapter='duckdb' %}

    {%- set target = this.incorporate(type='table') -%}

    {{ drop_relation_if_exists(load_cached_relation(this)) }}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {{ create_table_as(False, target, compiled_code) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target, model) %}
    {{ adapter.commit() }}

    {{ return({'relations': [target]}) }}

{% endmaterialization %}
