"""What our marts and the reference script's cost where both answer the same question.

In total our marts cost more than the reference's partly because there are more of them. Here the marts that answer one
question stand side by side, each with everything it is made from, so that what the rest is for can be told.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.mart_costs import Timings, ancestors

SAME_QUESTIONS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "deals as they stand": (["fct_opportunity"], ["mart_opportunity"]),
    "conversion by stage": (["mart_pipeline_stage"], ["mart_stage_conversion"]),
    "days in a stage": (["mart_stage_dwell"], ["mart_stage_dwell"]),
    "open pipeline by day": (["mart_pipeline_daily"], ["mart_pipeline_daily"]),
    "pushed closings": (["mart_pipeline_slippage"], ["mart_push"]),
    "stalled deals": (["mart_deal_health"], ["mart_stalled"]),
    "target attainment": (["mart_target_attainment"], ["mart_attainment", "mart_pace_daily"]),
    "period against period": (["mart_retrospective"], ["mart_retro"]),
    "won and lost, and why": (["mart_win_rate", "mart_loss"], ["mart_winloss"]),
    "leads to deals": (["mart_lead_funnel"], ["mart_funnel"]),
}
"""Our marts and the reference's by the question they answer; forecast and decomposition are not SQL of ours."""

STEP = re.compile(r"^-- @step (\w+)(?: \[(\w+)\])?$", re.M)
CREATED = re.compile(r"\bCREATE TABLE (\w+)")


def reference_parents(script: Path, file_format: str = "parquet") -> dict[str, set[str]]:
    """The steps of the reference script, each with the steps whose tables it reads.

    Args:
        script: ``reference.sql``; a line ``-- @step NAME`` or ``-- @step NAME [FORMAT]`` stands above each statement.
        file_format: of steps that are alternatives, those of this format.
    """
    parts = STEP.split(script.read_text(encoding="utf-8"))[1:]
    bodies = {
        name: re.sub(r"--.*", "", body)
        for name, written_for, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        if written_for in (None, file_format)
    }
    made_by = {table: name for name, body in bodies.items() for table in CREATED.findall(body)}
    return {
        name: {made_by[word] for word in re.findall(r"\w+", body) if word in made_by} - {name}
        for name, body in bodies.items()
    }


def same_questions(
    models: Mapping[str, Mapping[str, Any]], timings: Timings, parents: Mapping[str, set[str]], steps: Timings
) -> Iterator[str]:
    """Lines of text: CPU seconds of ours and of the reference's by question, then of all these questions together.

    Args:
        models: our models by unique id, as dbt's manifest has them.
        timings: what each of our models took.
        parents: steps of the reference script with those that they read.
        steps: what each step took.
    """
    keys = {model["name"]: key for key, model in models.items()}
    up = {
        model["name"]: {models[key]["name"] for key in ancestors(keys[model["name"]], models)}
        for model in models.values()
    }
    yield f"{'question':<24}{'ours CPU':>10}{'reference':>11}{'ratio':>7}"
    all_ours: set[str] = set()
    all_theirs: set[str] = set()
    for question, (marts, tables) in SAME_QUESTIONS.items():
        ours = {name for mart in marts if mart in up for name in (mart, *up[mart])}
        theirs = {name for table in tables for name in (table, *_all_parents(table, parents))}
        yield _line(question, _cpu(ours, timings), _cpu(theirs, steps))
        all_ours |= ours
        all_theirs |= theirs
    yield _line("these together", _cpu(all_ours, timings), _cpu(all_theirs, steps))
    yield _line("everything", _cpu(timings, timings), _cpu(steps, steps))


def _all_parents(step: str, parents: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [step]
    while waiting:
        new = parents[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found


def _cpu(names: Iterable[str], timings: Timings) -> float:
    return sum(timings[name][1] for name in names if name in timings)


def _line(question: str, ours: float, theirs: float) -> str:
    ratio = f"{ours / theirs:.2f}" if theirs else "–"
    return f"{question:<24}{ours:>10.2f}{theirs:>11.2f}{ratio:>7}"
