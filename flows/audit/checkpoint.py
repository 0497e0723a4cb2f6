"""Great Expectations judges the measurements: one expectation a rule, on one small pandas frame, in memory.

One frame and one suite, because a checkpoint hands the same frame to all its validations. A metric error inside GX
shows up as a failed result with ``exception_info`` and no exception; here it is a finding like any other. Two
expectations hold the frame itself: nothing that could not be measured, and a measurement for every rule that applies,
since an expectation about no rows passes.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flows.audit.measurements import Measurements
from flows.audit.result import Finding, RuleOutcome, shown
from flows.audit.rules import BY_ID, EVERYTHING_MEASURED, RULES, Rule

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.expectations.expectation import Expectation

_TOLD_BY_INGEST = frozenset({"files_accepted", "sources_left_out"})
"""Rules whose findings are messages of ingest as they stand."""


def judge(measured: Measurements, max_change: float) -> tuple[tuple[RuleOutcome, ...], dict[str, Any]]:
    """Run the checkpoint.

    Args:
        measured: the night's measurements.
        max_change: limit of rules that state none.

    Returns:
        The outcome of every rule that applied, and GX's own result as plain values.
    """
    frame = measured.frame
    applied = [rule for rule in RULES if rule.id in measured.rules or (frame["rule"] == rule.id).any()]
    expectations = [*_about_the_frame(measured), *(_expectation(rule, max_change) for rule in applied)]
    result = _run(expectations, frame)
    failures: dict[str, list[Finding]] = {rule.id: [] for rule in (EVERYTHING_MEASURED, *applied)}
    entries: list[Any] = result.results
    for entry in entries:
        rule_id = entry.expectation_config.meta["rule"]
        failures[rule_id] += _findings(BY_ID.get(rule_id, EVERYTHING_MEASURED), entry, frame, max_change)
    counts = frame["rule"].value_counts()
    outcomes = [RuleOutcome(EVERYTHING_MEASURED, len(applied), tuple(failures[EVERYTHING_MEASURED.id]))]
    outcomes += [RuleOutcome(rule, int(counts.get(rule.id, 0)), tuple(failures[rule.id])) for rule in applied]
    return tuple(outcomes), result.to_json_dict()


def _run(expectations: Iterable["Expectation"], frame: "pd.DataFrame") -> "ExpectationSuiteValidationResult":
    """One validation of one frame, in a context that lives in memory and tells nobody."""
    # Imported here: 6.7 CPU-s, and only this stage of the night needs it.
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            analytics_enabled=False,
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    asset = context.data_sources.add_pandas("night").add_dataframe_asset("measurements")
    suite = context.suites.add(gx.ExpectationSuite(name="audit", expectations=list(expectations)))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name="audit", data=asset.add_batch_definition_whole_dataframe("night"), suite=suite)
    )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name="audit",
            validation_definitions=[definition],
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["number"]},
        )
    )
    (result,) = checkpoint.run(batch_parameters={"dataframe": frame}).run_results.values()
    return result


def _about_the_frame(measured: Measurements) -> list["Expectation"]:
    from great_expectations.expectations import core as gxe

    described: dict[str, Any] = {"meta": {"rule": EVERYTHING_MEASURED.id}, "notes": EVERYTHING_MEASURED.en}
    return [
        gxe.ExpectColumnValuesToBeNull(column="error", **described),
        gxe.ExpectColumnDistinctValuesToContainSet(column="rule", value_set=sorted(measured.rules), **described),
    ]


def _expectation(rule: Rule, max_change: float) -> "Expectation":
    from great_expectations.expectations import core as gxe
    from great_expectations.expectations.row_conditions import Column

    described: dict[str, Any] = {
        "row_condition": Column("rule") == rule.id,
        "severity": "critical" if rule.refuses else "warning",
        "meta": {"rule": rule.id, "zh": rule.zh},
        "notes": rule.en,
    }
    limit = max_change if rule.limit is None else rule.limit
    if rule.verdict == "equal":
        return gxe.ExpectColumnPairValuesToBeEqual(column_A="expected", column_B="found", **described)
    if rule.verdict == "no_fall":
        return gxe.ExpectColumnValuesToBeBetween(column="change", min_value=-limit, **described)
    if rule.verdict == "no_rise":
        return gxe.ExpectColumnValuesToBeBetween(column="change", max_value=limit, **described)
    return gxe.ExpectColumnValuesToBeBetween(column="found", max_value=limit, **described)


def _findings(rule: Rule, entry: Any, frame: "pd.DataFrame", max_change: float) -> list[Finding]:
    """The measurements of one expectation that do not hold; one that GX could not evaluate is a finding too."""
    if problem := _exception(entry.exception_info):
        return [_cannot_judge(rule, problem)]
    if entry.success:
        return []
    numbers = [int(index["number"]) for index in entry.result.get("unexpected_index_list") or ()]
    if not numbers and rule is EVERYTHING_MEASURED:
        wanted = set(entry.expectation_config.kwargs["value_set"])
        return [_cannot_judge(BY_ID[name], "no measurement", rule) for name in sorted(wanted - set(frame["rule"]))]
    rows = frame.set_index("number", drop=False)
    found = [_finding(rule, rows.loc[number], max_change) for number in sorted(numbers)]
    return found or [_cannot_judge(rule, "failed without naming a measurement")]


def _exception(info: Any) -> str | None:
    """Message of an exception inside GX: of the expectation as a whole, or of one of its metrics."""
    if not isinstance(info, dict):
        return None
    entries = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, dict)]
    for entry in entries:
        if entry.get("raised_exception"):
            return str(entry.get("exception_message") or "unknown error")
    return None


def _cannot_judge(rule: Rule, problem: str, reported_as: Rule | None = None) -> Finding:
    return Finding(
        rule=(reported_as or rule).id,
        table="",
        subject=rule.id,
        expected="a judgement",
        found=problem,
        message_en=f"{rule.id} could not be judged: {problem}.",
        message_zh=f"规则 {rule.id} 无法判断:{problem}。",
        refuses=True,
    )


def _finding(rule: Rule, row: Any, max_change: float) -> Finding:
    if row["error"]:
        return _cannot_judge(BY_ID[row["rule"]], row["error"], rule)
    limit = max_change if rule.limit is None else rule.limit
    expected, found = shown(row["expected"], rule.unit), shown(row["found"], rule.unit)
    subject = row["subject"] if rule.id in _TOLD_BY_INGEST else f"{row['table_name']}, {row['subject']}"
    detail = f" ({row['detail']})" if row["detail"] else ""
    if rule.id in _TOLD_BY_INGEST:
        # The message of ingest says what was expected and found, the limit, and what to do.
        en = zh = row["detail"]
    elif rule.verdict in ("no_fall", "no_rise"):
        change = f"{row['change']:+.1%}"
        en = f"{expected} before, {found} now: {change}, limit {limit:.0%}{detail}"
        zh = f"之前 {expected},现在 {found}:{change},上限 {limit:.0%}{detail}"
    elif rule.verdict == "at_most":
        expected = f"{limit:g}"
        en, zh = (
            f"expected at most {expected} {rule.unit}, found {found}{detail}",
            f"最多 {expected},实际 {found}{detail}",
        )
    else:
        en, zh = f"expected {expected} {rule.unit}, found {found}{detail}", f"应为 {expected},实际 {found}{detail}"
    return Finding(
        rule=rule.id,
        table=row["table_name"],
        subject=row["subject"],
        expected=expected,
        found=found,
        message_en=f"{subject}: {en}",
        message_zh=f"{subject}: {zh}",
        refuses=rule.refuses,
    )
