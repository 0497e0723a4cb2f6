-- Grain: one shared record, plan version and person who is credited with a part of it.
with

records as (
    select * from {{ ref('int_credit_records') }}
    where split_record_id is not null
),

splits as (
    select * from {{ ref('stg_night__credit_splits') }}
),

-- Each part is rounded; the owner has what is left, so that the parts are the whole.
given as (
    select
        records.record_no,
        splits.plan_version,
        splits.user_id,
        records.owner_id,
        records.hundredths,
        {{ rate_of('records.hundredths', 'splits.share') }} as credit_hundredths
    from records
    inner join splits on records.split_record_id = splits.record_id
    where splits.user_id <> coalesce(records.owner_id, '')
),

kept as (
    select
        record_no,
        plan_version,
        owner_id as user_id,
        hundredths - sum(credit_hundredths) as credit_hundredths
    from given
    group by record_no, plan_version, owner_id, hundredths
),

final as (
    select
        record_no,
        plan_version,
        user_id,
        false as is_owner,
        credit_hundredths
    from given

    union all

    select
        record_no,
        plan_version,
        user_id,
        true as is_owner,
        cast(credit_hundredths as bigint) as credit_hundredths
    from kept
    where user_id is not null
)

select * from final
