-- Grain: one store ever seen, as last known.

with stores as (

    {{ current_rows('store', with_deleted=true) }}

),

reps as (

    select
        user_id,
        node_no
    from {{ ref('int_nodes') }}
    where node_kind = 'rep'

),

unassigned as (

    select node_no
    from {{ ref('int_nodes') }}
    where node_key = {{ unassigned_node_key() }}

),

final as (

    select
        stores.store_id,
        coalesce(reps.node_no, unassigned.node_no) as node_no,
        {{ stated_value('stores.channel') }} as channel
    from stores
    cross join unassigned
    left join reps on stores.owner_id = reps.user_id

)

select * from final
