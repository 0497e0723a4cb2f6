"""The statements about tonight's files and the sources they come from; as all of the audit's, see ``statements``."""
# ruff: noqa: S608 (statements are composed of this module's own names)

FILES_ACCEPTED = """
select
    'mart_data_quality',
    source || ': ' || coalesce(nullif(file, ''), '(no file)'),
    1,
    cast(status = 'accepted' or list_contains({tolerated}, status || ' ' || source) as bigint),
    case when status <> 'accepted' then status || ': ' || coalesce(message, 'no reason given') end
from tonight
order by 2
"""

SOURCES_LEFT_OUT = """
select
    'mart_data_quality',
    source || ': ' || coalesce(nullif(file, ''), '(no file)'),
    1,
    0,
    status || ': ' || coalesce(message, 'no reason given')
from tonight
where status <> 'accepted' and list_contains({tolerated}, status || ' ' || source)
order by 2
"""

FILES_ACCOUNTED = """
with published as (
    select * from candidate.marts.mart_data_quality where is_tonight
)
select
    'mart_data_quality',
    tonight.source || ': ' || coalesce(nullif(tonight.file, ''), '(no file)'),
    tonight.rows_in,
    coalesce(published.rows_accepted + published.rows_quarantined, -1),
    case when published.source is null then 'the file is not in the mart' end
from tonight
left join published
    on tonight.source = published.source
    and tonight.file is not distinct from published.file
    and tonight.entity = published.entity
union all
select
    'mart_data_quality',
    'all files',
    cast(coalesce((select sum(rows_in) from tonight), 0) as bigint),
    cast(coalesce((select sum(rows_in) from published), 0) as bigint),
    null
order by 2
"""

# Of the exports that a CRM writes every night; an account or a payment may well be unchanged for weeks.
_EXPORTS = """
    select source, as_of_date, max(freshest_on) as freshest_on
    from source_file
    where status = 'accepted' and freshest_on is not null and entity in ('opportunity', 'opportunity_history')
    group by all
"""

DATED_EXPORTS = f"select count(*) from ({_EXPORTS}) as exports inner join run using (as_of_date)"

EXPORTS_GO_BACK = (
    f"with exports as ({_EXPORTS})"
    + """
select
    'source_file',
    tonight.source,
    0,
    case when list_contains({accepted}, tonight.source) then 0
        else greatest(0, date_diff('day', tonight.freshest_on, coalesce(max(before.freshest_on), tonight.freshest_on)))
    end,
    'newest record ' || tonight.freshest_on || ', the night before '
        || coalesce(max(before.freshest_on)::varchar, 'none')
from exports as tonight
inner join run on tonight.as_of_date = run.as_of_date
left join exports as before
    on tonight.source = before.source
    and before.as_of_date = (select max(as_of_date) from exports where as_of_date < run.as_of_date)
group by tonight.source, tonight.freshest_on
order by 2
"""
)

SOURCES_ARE_FRESH = """
select
    'mart_data_quality',
    source || ', ' || entity,
    0,
    cast(max(greatest(0, hours_old - fresh_within_hours)) as bigint),
    max(hours_old) || ' hours old, held to ' || min(fresh_within_hours)
from candidate.marts.mart_data_quality
where is_tonight and hours_old is not null and fresh_within_hours is not null
group by source, entity
order by 2
"""
