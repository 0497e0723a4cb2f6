{#-
    Whether a model of a way of selling (`flavours` in the settings) is there tonight: what a company does not have is
    not built, and a model that reads it does without.
-#}
{% macro is_built(relation) -%}
    {#- A unit test gives its rows as a query, which no database knows. -#}
    {{ return(not execute or relation.is_cte or load_relation(relation) is not none) }}
{%- endmacro %}
