"""The operator is told of a source once: when it begins to be stale, or to be left out."""

import duckdb
import pytest

from flows.alerts.sources import news_of_sources

FINE, STALE = ("accepted", 24, False), ("accepted", 48, True)
REFUSED, REFUSED_AND_STALE, MISSING = ("refused", 24, False), ("refused", 72, True), ("missing", 24, False)
IS_STALE = "crm (opportunity): the newest record is {} hours old (working days), held to 24"


def told(tmp_path, *nights, language="en") -> list[str]:
    """What is told on the last of some nights; each has the status, the age and whether that is stale."""
    path = tmp_path / "planloop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create schema marts; create table marts.mart_data_quality (night_on date, is_tonight boolean,"
            " source varchar, entity varchar, status varchar, message varchar, hours_old integer, is_stale boolean,"
            " fresh_within_hours double)"
        )
        for number, (status, hours, is_stale) in enumerate(nights, start=1):
            connection.execute(
                "insert into marts.mart_data_quality values"
                " (make_date(2026, 3, ?), ?, 'crm', 'opportunity', ?, ?, ?, ?, 24),"
                " (make_date(2026, 3, ?), ?, 'people', 'user', 'accepted', null, null, null, null)",
                [number, number == len(nights), status, "why" if status != "accepted" else None, hours, is_stale]
                + [number, number == len(nights)],
            )
    return news_of_sources(path, language)


@pytest.mark.parametrize(
    ("nights", "expected"),
    [
        ([FINE], []),
        ([STALE], [IS_STALE.format(48)]),
        ([FINE, STALE], [IS_STALE.format(48)]),
        ([STALE, STALE], []),
        ([STALE, FINE, STALE], [IS_STALE.format(48)]),
        ([FINE, REFUSED], ["crm (opportunity): refused: why"]),
        ([REFUSED, REFUSED], []),
        ([REFUSED, MISSING], ["crm (opportunity): missing: why"]),
        ([REFUSED, REFUSED_AND_STALE], [IS_STALE.format(72)]),
        ([FINE, REFUSED_AND_STALE], ["crm (opportunity): refused: why", IS_STALE.format(72)]),
        ([REFUSED, FINE], []),
    ],
)
def test_what_is_new_is_told_and_what_was_told_is_not(tmp_path, nights, expected):
    assert told(tmp_path, *nights) == expected


def test_it_is_told_in_the_operators_language(tmp_path):
    assert told(tmp_path, FINE, REFUSED_AND_STALE, language="zh") == [
        "crm (opportunity): 被拒绝: why",
        "crm (opportunity): 最新记录已有 72 小时（按工作日计），要求 24 小时内",
    ]
