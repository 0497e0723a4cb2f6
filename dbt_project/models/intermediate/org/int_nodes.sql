-- Grain: one node of the organisation, as it stands tonight or stood last.

{{ config(database=target.database, schema='basis') }}

with periods as (

    select * from {{ ref('int_node_periods') }}

),

owners as (

    select * from {{ ref('int_node_owners') }}

),

users as (

    select * from {{ ref('int_users') }}

),

final as (

    select
        periods.node_key,
        cast(row_number() over (order by periods.node_key) as integer) as node_no,
        periods.node_kind,
        periods.name,
        periods.user_id,
        periods.parent_node_key,
        periods.level,
        owners.owner_user_id,
        users.name as owner_name,
        users.email as owner_email,
        users.language as owner_language,
        periods.valid_from,
        periods.valid_to
    from periods
    left join owners on periods.node_key = owners.node_key
    left join users on owners.owner_user_id = users.user_id
    where periods.is_current

)

select * from final
