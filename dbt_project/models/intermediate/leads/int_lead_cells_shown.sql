-- Grain: one combination that leads have stated and cell of the funnel that it counts in.

{#
    Cells: the total; each value of each dimension with 'all' in the others; in quarters also source × quality. Every
    other combination would multiply the rows and leave a handful of leads in each. Cells of the same combinations have
    one number, and are counted as one: where nobody states a quality, its one value is the total, and every source is
    its pair with it.
#}
{% set dimensions = ['source', 'quality', 'industry', 'segment'] -%}

with stated as (

    select
        cell_no,
        {% for dimension in dimensions -%}
            {{ stated_value(dimension) }} as {{ dimension }}{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ ref('int_lead_cells') }}

),

shown as (

    {% for kept in [[], ['source'], ['quality'], ['industry'], ['segment'], ['source', 'quality']] -%}
        select
            cell_no,
            {{ kept | length }} as n_dimensions,
            {{ cell_columns(dimensions, kept) }}
        from stated
        {% if not loop.last %}
        union all

        {% endif %}
    {%- endfor %}

),

numbered as (

    select
        *,
        dense_rank() over (order by {{ dimensions | join(', ') }}) as shown_no
    from shown

),

in_common as (

    select
        numbered.shown_no,
        others.shown_no as other_no,
        count(*) as n_combinations
    from numbered
    inner join numbered as others on numbered.cell_no = others.cell_no
    group by numbered.shown_no, others.shown_no

),

sizes as (

    select
        shown_no,
        n_combinations
    from in_common
    where shown_no = other_no

),

twins as (

    select
        in_common.shown_no,
        min(in_common.other_no) as counted_no
    from in_common
    inner join sizes
        on in_common.shown_no = sizes.shown_no and in_common.n_combinations = sizes.n_combinations
    inner join sizes as others
        on in_common.other_no = others.shown_no and in_common.n_combinations = others.n_combinations
    group by in_common.shown_no

),

final as (

    select
        numbered.cell_no,
        cast(twins.counted_no as integer) as counted_no,
        numbered.n_dimensions,
        {{ each_column(dimensions, 'numbered') }}
    from numbered
    inner join twins on numbered.shown_no = twins.shown_no

)

select * from final
