"""The four process templates, recognised by the header of a sheet alone: which one it is, and how it is read.

A sheet is a template where its header names what that template cannot do without, where at least three and half of its
headers are known wordings of that template, and where no other template fits as well. Everything else is told with what
is missing (``beside`` says when it is refused); nothing is taken for a template by its name or its content.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.config.sources import Column, Source
from flows.ingest.amounts import UNITS
from flows.ingest.headers import columns_by_key, header_currency, header_key, header_unit, synonyms, template_keys
from flows.ingest.readers.names import NAMELESS
from flows.ingest.sheet_rules import SheetRules
from schemas import TEMPLATES
from schemas.registry import ENTITIES

NAMES = {
    "customer_record": "客户信息跟踪表 (customer tracking)",
    "stage_progress": "销售阶段进度表 (stage progress)",
    "requirement": "客户需求记录表 (requirements)",
    "contract": "合同关键信息表 (contracts)",
}
_NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "customer_record": (
        ("account_name",),
        ("status", "contact_name", "contact_details", "lead_source", "first_contact_on", "expected_close_on"),
    ),
    "stage_progress": (("account_name",), ("stage",), ("started_on",)),
    "requirement": (("account_name", "account_id"), ("description", "requirement_type")),
    "contract": (("contract_id",), ("amount", "signed_on", "payment_terms")),
}
"""What a template cannot do without: one column of each group."""
_FILLED: Mapping[str, tuple[str, ...]] = {"requirement": ("account_name",), "contract": ("account_name",)}
"""What every row of a sheet has to fill, though other sources of the entity need not."""
_IDENTIFYING = ("account_name", "account_id", "requirement_type", "description")
"""What tells two requirements apart where they have no number; rows that agree in all of it are one requirement."""
_FEWEST = 3
_DELIMITERS = (";", "|", ",")

_WORDS: Mapping[tuple[str, str], Mapping[str, Sequence[str]]] = {
    ("customer_record", "status"): {
        "new": ["新线索", "新客户", "新增", "潜在客户", "待联系", "未联系", "New Lead", "Prospect", "Lead"],
        "contacted": ["已联系", "已接触", "联系中", "跟进中", "已跟进", "初步接触", "In Contact"],
        "quoted": ["已报价", "报价中", "已发报价", "Quotation Sent"],
        "negotiating": ["谈单中", "谈判中", "洽谈中", "商务谈判", "Negotiation", "In Negotiation"],
        "deciding": ["待决策", "决策中", "待决定", "Decision Pending", "Awaiting Decision"],
        "won": ["已成交", "成交", "已签约", "赢单", "Closed Won"],
        "lost": ["流失", "已流失", "丢单", "已丢单", "输单", "Closed Lost"],
    },
    ("contract", "status"): {
        "unsigned": ["待签订", "未签订", "未签", "待签", "待签约", "未签约", "Not Signed", "Pending"],
        "signed": ["已签订", "已签", "已签约", "已签署"],
    },
    ("contract", "currency"): {
        "CNY": ["人民币", "RMB", "¥", "元"],
        "USD": ["美元", "美金", "US$"],
        "EUR": ["欧元", "€"],
        "HKD": ["港元", "港币", "HK$"],
        "JPY": ["日元"],
        "GBP": ["英镑", "£"],
    },
}
"""Words of columns whose values are known; other contract statuses and ISO codes stay as they are written."""
_KEPT = {("contract", "status"), ("contract", "currency")}


@dataclass(frozen=True)
class Recognised:
    """A table that is one of the templates.

    Attributes:
        entity: which one.
        columns: header by canonical column.
        unknown: headers that it does not know.
    """

    entity: str
    columns: Mapping[str, str]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Unrecognised:
    """A table that is none of the templates, with what it lacks.

    Attributes:
        nearest: the template it is most like; None where nothing is alike.
        message: what was expected, what was found, and what to do.
    """

    nearest: str | None
    message: str


def recognise(
    headers: Sequence[str],
    *,
    among: Sequence[str] = TEMPLATES,
    stated: Mapping[str, Column] | None = None,
    ignore: Sequence[str] = (),
) -> Recognised | Unrecognised:
    """Which template the header of a table is.

    Args:
        headers: names of its columns.
        among: the templates that may be meant.
        stated: columns that the configuration maps itself.
        ignore: headers that are known and not used.
    """
    ignored = {header_key(name) for name in ignore}
    named = [name for name in headers if not name.startswith(NAMELESS) and header_key(name) not in ignored]
    by_statement = {
        header_key(name): column for column, given in (stated or {}).items() for name in given.source_columns
    }
    fits = [_Fit(entity, named, by_statement) for entity in among]
    whole = sorted((fit for fit in fits if fit.is_whole), key=lambda fit: -len(fit.columns))
    if not whole:
        return _nearest(fits, named)
    best = whole[0]
    if len(whole) > 1 and len(whole[1].columns) == len(best.columns):
        return Unrecognised(
            best.entity,
            f"Expected the header of one template, found one that may be {NAMES[best.entity]} or "
            f"{NAMES[whole[1].entity]}. State `entity` for this source.",
        )
    if best.twice:
        pairs = "; ".join(f"{' and '.join(map(repr, names))} ({column})" for column, names in best.twice.items())
        return Unrecognised(
            best.entity,
            f"Expected one header for each column of {NAMES[best.entity]}, found several: {pairs}. Name under `ignore` "
            "those that are not meant.",
        )
    return Recognised(best.entity, best.columns, best.unknown)


class _Fit:
    """How well a header fits one template."""

    def __init__(self, entity: str, named: Sequence[str], by_statement: Mapping[str, str]) -> None:
        self.entity = entity
        own = ENTITIES[entity].columns()
        by_key = {**columns_by_key(entity), **{key: name for key, name in by_statement.items() if name in own}}
        found: dict[str, list[str]] = {}
        for name in named:
            column = by_key.get(header_key(name))
            if column is not None:
                found.setdefault(column, []).append(name)
        chosen = {column: _by_own_name(entity, column, names) for column, names in found.items()}
        self.columns = {column: names[0] for column, names in chosen.items()}
        self.twice = {column: names for column, names in chosen.items() if len(names) > 1}
        self.unknown = tuple(name for name in named if name not in self.columns.values())
        self.lacking = [group for group in _NEEDED[entity] if not any(column in found for column in group)]
        self._enough = len(found) >= _FEWEST and 2 * len(found) >= len(named)

    @property
    def is_whole(self) -> bool:
        """Whether the header is that of this template."""
        return not self.lacking and self._enough


def _by_own_name(entity: str, column: str, names: list[str]) -> list[str]:
    """The headers that name a column: where one is the template's own wording, it stands above its synonyms."""
    own = header_key(synonyms()[entity].get(column, ("",))[0])
    return [name for name in names if header_key(name) == own] or names


def _nearest(fits: Sequence[_Fit], named: Sequence[str]) -> Unrecognised:
    best = max(fits, key=lambda fit: (len(fit.columns), -len(fit.lacking)))
    shown = ", ".join(map(repr, named)) or "nothing"
    if not best.columns:
        return Unrecognised(
            None,
            f"Expected the header of one of {', '.join(NAMES[fit.entity] for fit in fits)}, found {shown}. "
            f"{_delimiter_of(named)}If this is no table of yours, name its sheet under `ignore`.",
        )
    lacking = " and ".join(
        " or ".join(repr(synonyms()[best.entity][name][0]) for name in group) for group in best.lacking
    )
    missing = f"without {lacking}" if lacking else "of which too few are known"
    unknown = f", unknown: {', '.join(map(repr, best.unknown))}" if best.unknown else ""
    return Unrecognised(
        best.entity,
        f"Expected the header of {NAMES[best.entity]}, found one {missing} ({len(best.columns)} of {len(named)} known"
        f"{unknown}). Mend the header, or name the sheet under `ignore` if it is no table of yours.",
    )


def _delimiter_of(named: Sequence[str]) -> str:
    """What to say of a header that was read as one column: 合同编号;客户名称;…."""
    mark = next((mark for mark in _DELIMITERS if len(named) == 1 and named[0].count(mark) >= _FEWEST - 1), None)
    # In the name of a column a tab is a space like any other.
    words = named[0].split() if len(named) == 1 else []
    if not mark and sum(header_key(word) in template_keys() for word in words) >= _FEWEST:
        mark = "\t"
    return f"It seems to be parted by {mark!r}: set `csv: {{delimiter: {mark!r}}}`. " if mark else ""


def mapped_source(
    source: Source, found: Recognised, reporting_currency: str, unit_above: str = ""
) -> tuple[Source, SheetRules]:
    """The source with the mapping that follows from a recognised header, and the rules that hold beside it.

    What ``source.columns`` states stands above what is recognised, and the unit that a header names above that of
    ``unit_above``, the note over the table.
    """
    entity = ENTITIES[found.entity]
    columns = {column: _column(found.entity, column, header, unit_above) for column, header in found.columns.items()}
    if found.entity == "requirement" and "requirement_id" not in columns:
        parts = tuple(found.columns[name] for name in _IDENTIFYING if name in found.columns)
        columns["requirement_id"] = Column(concat=parts, digest=True)
    amount = found.columns.get("amount")
    if amount and "currency" not in columns:
        columns["currency"] = Column(value=header_currency(_with_unit(amount, unit_above)) or reporting_currency)
    own = {column: given for column, given in source.columns.items() if column in entity.columns()}
    columns |= own
    unit = header_unit(found.columns.get("delivery_terms", ""))
    states_no_unit = bool(amount) and _amount_unit(amount or "", unit_above) is None and "amount" not in own
    rules = SheetRules(
        required=tuple(name for name in _FILLED.get(found.entity, ()) if name in columns),
        units={"delivery_terms": _after_number(unit)} if unit else {},
        unit_not_stated="amount" if states_no_unit else None,
    )
    return source.model_copy(update={"columns": columns, "entity": found.entity}), rules


def _with_unit(header: str, unit_above: str) -> str:
    """A header of amounts with the unit that the note over the table names, where it names none itself."""
    return header if header_unit(header) in UNITS else header + unit_above


def _amount_unit(header: str, unit_above: str) -> str | None:
    unit = header_unit(_with_unit(header, unit_above))
    return unit if unit in UNITS else None


def _column(entity: str, column: str, header: str, unit_above: str) -> Column:
    filled: dict[str, Any] = {"from": header}
    words = _WORDS.get((entity, column))
    if column == "stage":
        filled["map"] = "stages"
    elif words:
        filled["map"] = {word: key for key, spellings in words.items() for word in (key, *spellings)}
        filled["unmapped"] = "keep" if (entity, column) in _KEPT else "error"
    elif column in ("amount", "cost") and (unit := _amount_unit(header, unit_above)):
        filled["unit"] = unit
    return Column.model_validate(filled)


def _after_number(unit: str) -> str:
    """A unit as it is written after a number."""
    return "个月" if unit == "月" else unit
