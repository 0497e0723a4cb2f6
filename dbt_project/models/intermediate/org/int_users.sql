-- Grain: one person ever seen in the user log, as last known.

with users as (

    {{ current_rows('user', with_deleted=true) }}

),

final as (

    select
        user_id,
        name,
        email,
        manager_id,
        role,
        region,
        team,
        is_active,
        hired_on,
        left_on,
        language,
        _change = 'deleted' as is_deleted,
        _first_observed_on as first_seen_on
    from users

)

select * from final
