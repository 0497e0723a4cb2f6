-- Grain: one store ever seen, as last known.

with stores as (

    {{ current_rows('store', with_deleted=true) }}

),

{{ owner_nodes() }},

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
