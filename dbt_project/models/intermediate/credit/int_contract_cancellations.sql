-- Grain: one signed contract that is cancelled or gone tonight, as it was last known before.
with

contract_rows as (
    select
        *,
        _change = 'deleted' or {{ is_cancelled_status('status') }} as is_gone
    from {{ ref('stg_log__contracts') }}
),

-- A contract that was taken up again is not cancelled; of one that is, the first night of the last time counts.
known as (
    select
        contract_id,
        max(_observed_on) as last_on,
        max(case when not is_gone then _observed_on end) as last_alive_on,
        min(_observed_on) as first_on
    from contract_rows
    group by contract_id
),

ended as (
    select
        contract_rows.contract_id,
        known.first_on,
        known.last_alive_on,
        min(contract_rows._observed_on) as cancelled_on
    from contract_rows
    inner join known on contract_rows.contract_id = known.contract_id
    where
        coalesce(known.last_alive_on, cast('0001-01-01' as date)) < known.last_on
        and contract_rows._observed_on > coalesce(known.last_alive_on, cast('0001-01-01' as date))
    group by contract_rows.contract_id, known.first_on, known.last_alive_on
),

-- One that was cancelled before anybody looked was never paid on: it counts as cancelled on the day of its signature.
final as (
    select
        ended.contract_id,
        contract_rows.opportunity_id,
        contract_rows.owner_id,
        contract_rows.amount,
        contract_rows.cost,
        contract_rows.currency,
        contract_rows.signed_on,
        case when ended.last_alive_on is null then contract_rows.signed_on else ended.cancelled_on end as cancelled_on
    from ended
    inner join contract_rows
        on ended.contract_id = contract_rows.contract_id
            and coalesce(ended.last_alive_on, ended.first_on) = contract_rows._observed_on
    where contract_rows.signed_on is not null
)

select * from final
