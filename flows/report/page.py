"""The page of a night: one HTML file a language, opened from disk, with nothing fetched from anywhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any, get_args

import jinja2
from markupsafe import Markup

from flows.config.fiscal import FiscalCalendar
from flows.config.settings import Language
from flows.history.durable import flush_folder, replace_file
from flows.report import figures, notation
from flows.report.queries import Findings, Row, read_findings
from flows.report.wording import WORDS

_PERIODS = ("month", "quarter", "year")
_METRICS = ("bookings", "won_count")
# Every metric that a heading of the page shows, in the order of the page.
_DEFINED = (
    "bookings",
    "won_count",
    "target_base",
    "actual",
    "attainment",
    "gap",
    "elapsed_share",
    "pace_index",
    "gap_to_expected",
    "required_run_rate",
    "coverage_remaining",
    "open_amount",
    "open_deals",
    "win_probability",
    "open_weighted_amount",
    "forecast_expected",
    "forecast_p10",
    "forecast_p90",
)


@dataclass(frozen=True)
class StageOutcome:
    """One stage of the night: its name, how long it took, and what it noted, in a few words."""

    name: str
    seconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class AuditOutcome:
    """One rule of the audit and what it found."""

    rule: str
    passed: bool
    expected: str = ""
    found: str = ""


@dataclass(frozen=True)
class RunFacts:
    """What the page says of the run itself; all else comes from the marts.

    Attributes:
        alerts: counts by name: opened, worsened, resolved, sent, pending.
        data_docs: link to the audit's own pages, relative to the page; None where there are none.
        fiscal: how the company counts its periods, which they are called by.
    """

    run_id: str
    as_of: date
    company: str
    company_en: str
    currency: str
    language: Language
    is_rebuild: bool = False
    stages: Sequence[StageOutcome] = ()
    audit: Sequence[AuditOutcome] = ()
    alerts: Mapping[str, int] = field(default_factory=dict)
    data_docs: str | None = None
    fiscal: FiscalCalendar = FiscalCalendar()


def write_page(reports: Path, marts: Path, run: RunFacts, *, is_latest: bool) -> Path:
    """Write ``reports/<run_id>/index.html`` in the company's language and ``index.<other>.html`` beside it.

    Args:
        marts: the published DuckDB file of the run.
        is_latest: whether ``reports/latest`` is to point here; a rebuilt past night is not the latest.

    Returns:
        The page in the company's language.
    """
    findings = read_findings(marts)
    folder = reports / run.run_id
    for language in get_args(Language):
        html = render_page(run, findings, language).encode()
        replace_file(folder / _file_name(run, language), partial(_write, html))
    if is_latest:
        _point_latest(reports, run.run_id)
    return folder / "index.html"


def render_page(run: RunFacts, findings: Findings, language: Language) -> str:
    """The page in one language."""
    other: Language = "en" if language == "zh" else "zh"
    return (
        _templates()
        .get_template("index.html.j2")
        .render(
            run=run,
            company=run.company if language == "zh" else run.company_en,
            language=language,
            other_page=_file_name(run, other),
            words=WORDS[language],
            say=_Sayer(run.currency, language, run.fiscal),
            gauges=_gauges(findings.attainment),
            attainment=_tables(findings.attainment),
            funnel=list(zip(findings.funnel, _bands(findings.funnel), strict=True)),
            funnel_total={
                **_sums(findings.funnel, "deals", "deals_with_amount"),
                **_sums(findings.funnel, "amount", "weighted_amount", start=Decimal(0)),
            },
            findings=findings,
            quality_total=_sums(findings.quality, *_QUALITY_COUNTS),
            quality_counts=_QUALITY_COUNTS,
            audit_passed=sum(outcome.passed for outcome in run.audit),
            definitions=[notation.glossary()[key] for key in _DEFINED],
        )
    )


_QUALITY_COUNTS = (
    "rows_in",
    "rows_accepted",
    "rows_quarantined",
    "rows_merged",
    "rows_new",
    "rows_changed",
    "rows_deleted",
)


@dataclass(frozen=True)
class _Sayer:
    """Writes figures and names in the page's language and currency."""

    currency: str
    language: Language
    fiscal: FiscalCalendar

    def quantity(self, metric: str, value: Decimal | None) -> str:
        """A figure of a metric, short."""
        if value is None or not notation.is_money(metric):
            return notation.short_quantity(metric, value, self.currency, self.language)
        return self.money(value)

    def exact(self, metric: str, value: Decimal | None) -> str:
        """The same figure in full, shown when pointed at."""
        return notation.quantity(metric, value, self.currency, self.language)

    def gap(self, metric: str, value: Decimal | None) -> str:
        """What is missing from the target; once that is passed, what lies above it."""
        if value is not None and value < 0:
            return f"{WORDS[self.language]['over']} {self.quantity(metric, -value)}"
        return self.quantity(metric, value)

    def needed(self, metric: str, row: Row) -> str:
        """What each remaining working day has to bring; nothing, once the target is reached."""
        if row["target"] and row["target_is_complete"] and row["actual"] >= row["target"]:
            return WORDS[self.language]["reached"]
        return self.quantity(metric, row["required_run_rate"] or None)

    def money(self, value: Decimal) -> str:
        """An amount as the reader says it; whole units in English."""
        if self.language == "zh":
            return notation.money(value, self.currency, self.language)
        return notation.short_money(value, self.currency)

    def share(self, value: float | None) -> str:
        """A ratio as a percentage."""
        return notation.share(value)

    def metric(self, metric: str) -> str:
        """Name of a metric."""
        name = notation.metric_name(metric, self.language)
        return name[:1].upper() + name[1:]

    def term(self, metric: str, label: str) -> Markup:
        """A heading that says what its metric is when pointed at, and leads to the definition, which prints."""
        defined = notation.glossary()[metric]
        told = f"{defined.name.said(self.language)}: {defined.formula.said(self.language)}"
        return Markup('<a class="term" href="#metric_{}" title="{}">{}</a>').format(metric, told, label)

    def kind(self, node_kind: str) -> str:
        """Name of a level of the organisation."""
        return notation.node_kind_name(node_kind, self.language)

    def period(self, row: Row) -> str:
        """Name of the row's period."""
        return notation.period_name(row["period_kind"], row["period_start_on"], self.language, fiscal=self.fiscal)

    def stage(self, row: Row) -> str:
        """Name of a stage; its key where the configuration has none in this language."""
        return row[f"name_{self.language}"] or row["name_en"] or row["name_zh"] or row["stage"]

    def columns(self, names: str | None) -> str:
        """A JSON list of column names as text."""
        return ", ".join(json.loads(names)) if names else ""

    def tone(self, row: Row) -> str:
        """Colour of a row by its pace."""
        return figures.tone_of(row["pace_index"])

    def bar(self, part: Any, whole: Any) -> float:
        """Length of a bar in per cent."""
        return figures.bar_width(part, whole)


def _gauges(attainment: Sequence[Row]) -> list[tuple[Row, figures.Gauge]]:
    """The company's bookings of month, quarter and year."""
    rows = {row["period_kind"]: row for row in attainment if _is(row, "bookings") and row["node_kind"] == "company"}
    return [
        (row, figures.gauge(row["attainment"], row["elapsed_share"], figures.tone_of(row["pace_index"])))
        for row in (rows[kind] for kind in _PERIODS if kind in rows)
    ]


def _tables(attainment: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    """Rows by metric and period, only where some node has a target or a result."""
    tables = []
    for metric in _METRICS:
        for kind in _PERIODS:
            rows = [row for row in attainment if _is(row, metric) and row["period_kind"] == kind]
            if any(row["target"] or row["actual"] for row in rows):
                tables.append((metric, kind, rows))
    return tables


def _is(row: Row, metric: str) -> bool:
    return bool(row["metric"] == metric)


def _bands(funnel: Sequence[Row]) -> list[figures.Band]:
    return figures.funnel_bands([row["deals"] for row in funnel])


def _sums(rows: Sequence[Row], *names: str, start: int | Decimal = 0) -> Row:
    """Totals by column; a null adds nothing, and no row at all gives ``start``, so that money stays money."""
    return {name: sum((row[name] for row in rows if row[name] is not None), start) for name in names}


def _file_name(run: RunFacts, language: Language) -> str:
    return "index.html" if language == run.language else f"index.{language}.html"


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _point_latest(reports: Path, run_id: str) -> None:
    """Move the link ``latest`` in one step."""
    draft = reports / ".latest.tmp"
    draft.unlink(missing_ok=True)
    draft.symlink_to(run_id)
    draft.replace(reports / "latest")
    flush_folder(reports)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("flows.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
