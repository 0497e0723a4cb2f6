{#-
    A relation as the views of `marts` name it: without the database, because the file of a candidate is given another
    name when it is published, and readers attach it under names of their own.
-#}
{% macro in_version(relation) -%}
    {{ return(relation.include(database=false)) }}
{%- endmacro %}
