"""A metric is found by what a person calls it, in either language; a slip of the keys is answered with what is near."""

import pytest

from flows.warehouse.glossary import Metric
from flows.warehouse.glossary_search import find, nearest


def metric(key: str, en: str, zh: str, formula_en: str = "…", formula_zh: str = "…") -> Metric:
    """A metric of which only names and formula matter."""
    said = {"en": "…", "zh": "…"}
    return Metric.model_validate(
        {
            "key": key,
            "name": {"en": en, "zh": zh},
            "formula": {"en": formula_en, "zh": formula_zh},
            "unit": "share",
            "grain": said,
            "null_rule": said,
            "proven_by": ["t"],
            "marts": [f"mart_x.{key}"],
        }
    )


GAP = metric("gap", "Gap to target", "目标缺口", "T − A", "T − A")
GAP_TO_DATE = metric("gap_to_expected", "Gap to date", "与应完成的差距", "T × d − A", "T × d − A")
WIN_RATE = metric("win_rate_close_n", "Win rate by close (count)", "赢单率（按数量）", "won ÷ closed", "赢单 ÷ 关闭")
COVERAGE = metric("coverage_total", "Coverage", "总目标覆盖率", "open amount ÷ T", "在手商机额 ÷ T")
KNOWN = (GAP, GAP_TO_DATE, WIN_RATE, COVERAGE)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("gap", (GAP,)),  # the whole key, though another key begins with it
        ("Gap To Target", (GAP,)),
        ("gap to", (GAP, GAP_TO_DATE)),
        ("win_rate", (WIN_RATE,)),
        ("rate win", (WIN_RATE,)),
        ("赢单率", (WIN_RATE,)),
        ("赢单率(按数量)", (WIN_RATE,)),  # noqa: RUF001 (half-width brackets find full-width ones)
        ("目标", (GAP, COVERAGE)),
        ("商机额", (COVERAGE,)),  # only its definition says so
        ("mart_x.gap", (GAP, GAP_TO_DATE)),
        ("ＷＩＮ　rate", (WIN_RATE,)),
        ("churn", ()),
        ("  ", ()),
    ],
)
def test_a_metric_is_found_by_key_name_and_words(wanted, expected):
    assert find(KNOWN, wanted) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("gpa", (GAP, GAP_TO_DATE)),
        ("winrate", (WIN_RATE,)),
        ("覆盖律", (COVERAGE,)),
        ("目标覆盖", (COVERAGE,)),
        ("xyzzy", ()),
    ],
)
def test_what_is_near_is_offered_the_nearest_first(wanted, expected):
    assert nearest(KNOWN, wanted) == expected


def test_no_more_is_offered_than_asked_for():
    assert nearest(KNOWN, "gap", limit=1) == (GAP,)
