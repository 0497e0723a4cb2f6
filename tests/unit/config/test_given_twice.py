"""What a configuration may name once and names again is told by name."""

from typing import Any

import pytest
from pydantic import ValidationError

from flows.config.alerts import Alerts
from flows.config.leaderboards import USUAL_BOARDS, Leaderboard
from flows.config.model import ConfigModel
from flows.config.stages import Stage, Stages

RULE = {"id": "pace", "metric": "bookings", "kind": "pace_below", "period_kind": "month", "node_kinds": ["rep"]}
STAGE = {"key": "won", "name_en": "Won", "name_zh": "赢单", "closed": "won", "forecast_category": "closed"}
OPEN = {"key": "open", "name_en": "Open", "name_zh": "谈单中", "forecast_category": "pipeline"}


@pytest.mark.parametrize(
    ("model", "data", "told"),
    [
        (Alerts, {"rules": [RULE, RULE]}, "each rule id once; given twice: pace"),
        (Stages, {"stages": [OPEN, STAGE, STAGE]}, "each stage key once; given twice: won"),
        (Stage, OPEN | {"needs": ["need", "need"]}, "each buying element once; given twice: need"),
        (
            Leaderboard,
            USUAL_BOARDS[0].model_dump() | {"periods": ["month", "quarter", "month"]},
            "each period once; given twice: month",
        ),
    ],
)
def test_what_is_given_twice_is_named(model: type[ConfigModel], data: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        model.model_validate(data)
