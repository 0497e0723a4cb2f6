-- Grain: one store and month at whose end (or tonight) it was part of the universe: what was last seen there.

with days as (

    select
        day,
        month_no
    from {{ ref('int_fiscal_days') }}

),

run as (

    select
        nights.as_of_date,
        days.month_no as as_of_month_no
    from {{ ref('stg_night__run') }} as nights
    inner join days on nights.as_of_date = days.day

),

visits as (

    select
        visits.store_id,
        days.month_no,
        next_days.month_no as next_month_no,
        visits.visited_on,
        visits.sku_stocked
    from {{ ref('int_store_visits') }} as visits
    inner join days on visits.visited_on = days.day
    left join days as next_days on visits.next_visited_on = next_days.day
    where visits.is_done

),

known_months as (

    select distinct
        dates.month_start_on,
        dates.quarter_start_on,
        days.month_no,
        least(dates.month_end_on, run.as_of_date) as seen_until
    from {{ ref('int_dates') }} as dates
    cross join run
    inner join days on dates.month_start_on = days.day
    where dates.month_start_on <= run.as_of_date

),

months as (

    select
        *,
        max(month_no) over (partition by quarter_start_on) = month_no as is_last_of_quarter
    from known_months

),

first_visit as (

    select min(month_no) as month_no from visits

),

versions as (

    select
        store_id,
        weight,
        opened_on,
        coalesce(is_active, true) and _change <> 'deleted' as is_there,
        _observed_on,
        row_number() over (partition by store_id order by _observed_on) = 1 as is_first,
        lead(_observed_on) over (partition by store_id order by _observed_on) as next_observed_on
    from {{ ref('stg_log__stores') }}

),

-- As our nights saw the store at the end of the month; before the first of them, as that saw it.
universe as (

    select
        versions.store_id,
        months.month_no,
        months.month_start_on,
        months.quarter_start_on,
        months.is_last_of_quarter,
        cast(versions.weight as decimal(28, 9)) as weight
    from versions
    cross join months
    cross join first_visit
    where
        versions.is_there
        and months.month_no >= first_visit.month_no
        and coalesce(versions.opened_on <= months.seen_until, true)
        and (versions.is_first or versions._observed_on <= months.seen_until)
        and (versions.next_observed_on is null or versions.next_observed_on > months.seen_until)

),

-- The last visit of a month stands until the next one.
last_visits as (

    select
        visits.store_id,
        visits.visited_on,
        visits.sku_stocked,
        {{ each_number('visits.month_no', 'coalesce(visits.next_month_no, run.as_of_month_no + 1)') }} as month_no
    from visits
    cross join run
    where visits.next_month_no is null or visits.next_month_no > visits.month_no

),

final as (

    select
        universe.store_id,
        stores.node_no,
        stores.channel,
        universe.month_start_on,
        universe.quarter_start_on,
        universe.is_last_of_quarter,
        universe.weight,
        last_visits.visited_on as last_visited_on,
        last_visits.store_id is not null as is_seen,
        coalesce(last_visits.sku_stocked > 0, false) as is_carrying
    from universe
    inner join {{ ref('int_stores') }} as stores on universe.store_id = stores.store_id
    left join last_visits on universe.store_id = last_visits.store_id and universe.month_no = last_visits.month_no

)

select * from final
