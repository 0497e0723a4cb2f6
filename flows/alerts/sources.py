"""Which sources began to be stale, or were left out, with tonight: the operator is told once, not every night."""

from pathlib import Path

import duckdb

from flows.config.settings import Language

# A source is in one of three conditions a night: in order, stale, or without a file that could be used. What is told is
# a change to one of the latter two since the night before that it was looked for.
_QUERY = """
with conditions as (
    select
        night_on,
        is_tonight,
        source,
        entity,
        max(case when status <> 'accepted' then status end) as left_out,
        max(case when status <> 'accepted' then coalesce(message, '') end) as message,
        coalesce(bool_or(is_stale), false) as is_stale,
        max(hours_old) as hours_old,
        min(fresh_within_hours) as fresh_within_hours
    from marts.mart_data_quality
    group by all
),

compared as (
    select
        *,
        lag(is_stale, 1, false) over (partition by source, entity order by night_on) as was_stale,
        lag(left_out) over (partition by source, entity order by night_on) as was_left_out
    from conditions
)

select
    source,
    entity,
    case when left_out is distinct from was_left_out then left_out end as newly_left_out,
    message,
    is_stale and not was_stale as is_newly_stale,
    hours_old,
    fresh_within_hours
from compared
where is_tonight
order by source, entity
"""


def news_of_sources(marts: Path, language: Language) -> list[str]:
    """One line for each source that is stale or left out since tonight, in words.

    Args:
        marts: a published DuckDB file.
        language: of whoever is told.
    """
    with duckdb.connect(str(marts), read_only=True) as connection:
        rows = connection.execute(_QUERY).fetchall()
    lines = []
    for source, entity, left_out, message, is_newly_stale, hours, limit in rows:
        if left_out:
            told = {"refused": "被拒绝", "missing": "缺失"}[left_out] if language == "zh" else left_out
            lines.append(f"{source} ({entity}): {told}: {message}")
        if is_newly_stale:
            lines.append(
                f"{source} ({entity}): 最新记录已有 {hours} 小时（按工作日计），要求 {limit:g} 小时内"
                if language == "zh"
                else f"{source} ({entity}): the newest record is {hours} hours old (working days), held to {limit:g}"
            )
    return lines
