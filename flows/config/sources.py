"""``sources.yaml``: where exports and workbooks lie, and how their columns become canonical entities.

The model knows the format only; reading and mapping are ingest's work. Options of reading may stand under ``defaults``
and in each source; a source's own value counts.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from flows.config.dated import DateInName, any_day
from flows.config.model import ConfigModel
from schemas import TEMPLATES

Format = Literal["csv", "parquet", "jsonl", "xlsx", "xls"]
Unit = Literal["元", "百", "千", "k", "万元", "万", "百万", "m", "亿"]
ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
}
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_AS_OF = re.compile(r"\{as_of(?::([^{}]+))?\}")


class Column(ConfigModel):
    """How one canonical column is filled: from a source column, from several joined, or with a constant.

    Attributes:
        digest: the columns joined make an id for rows that have none: a short text that is always the same for the
            same cells, and another for others.
    """

    from_: Annotated[str | None, Field(alias="from")] = None
    concat: tuple[str, ...] | None = None
    separator: str = "-"
    digest: bool = False
    value: str | None = None
    formats: tuple[str, ...] | None = None
    time_zone: str | None = None
    unit: Unit | None = None
    map: Literal["stages"] | dict[str, str] | None = None
    unmapped: Literal["error", "keep"] = "error"
    """What becomes of a value that ``map`` does not name: its row is quarantined, or the value stays as it is."""

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        return {"from": data} if isinstance(data, str) else data

    @field_validator("value", mode="before")
    @classmethod
    def _constant_as_text(cls, value: Any) -> Any:
        return str(value).lower() if isinstance(value, bool) else value if value is None else str(value)

    @field_validator("map", mode="before")
    @classmethod
    def _map_as_text(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): str(item).lower() if isinstance(item, bool) else str(item) for key, item in value.items()}
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.from_, self.concat, self.value)) != 1:
            raise ValueError("expected exactly one of from, concat, value")
        return self

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns of the source that this one reads."""
        return (self.from_,) if self.from_ is not None else self.concat or ()


class Csv(ConfigModel):
    """The dialect of a CSV file."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'


class Booleans(ConfigModel):
    """Spellings of true and false, compared without regard to case."""

    true: tuple[str, ...] = ("true", "t", "yes", "y", "1", "是", "对", "√")
    false: tuple[str, ...] = ("false", "f", "no", "n", "0", "否", "错", "×")


class Reading(ConfigModel):
    """Options of reading that a source may share with others."""

    encoding: Literal["auto", "utf-8", "utf-8-sig", "gb18030", "big5", "cp1252", "utf-16"] = "auto"
    dates: Annotated[tuple[str, ...], Field(min_length=1)] = ("%Y-%m-%d",)
    moments: Annotated[tuple[str, ...], Field(min_length=1)] = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")
    time_zone: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'", ""] = ","
    nulls: tuple[str, ...] = ("",)
    booleans: Booleans = Booleans()
    max_shrink: Annotated[float, Field(ge=0, le=1)] = 0.3
    csv: Csv = Csv()

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands must differ")
        return self


class Connect(ConfigModel):
    """A live CRM instead of files: what is asked of it, and where the secrets for it are found.

    ``secrets`` names environment variables by the part they play (``token``, ``client_secret`` …); no secret itself
    ever stands in a configuration. ``options`` are the vendor's own, such as an API version. Environment variables may
    stand in ``url`` and in any text of ``options``: a database of tests is another than that of the company.
    """

    crm: Literal["hubspot", "salesforce", "fxiaoke", "odoo", "tryton"]
    object: str
    url: str | None = None
    secrets: dict[str, str] = {}
    options: dict[str, Any] = {}

    @field_validator("url", "options", mode="before")
    @classmethod
    def _expand(cls, value: Any, info: ValidationInfo) -> Any:
        env: Mapping[str, str] = (info.context or {}).get("env", {})
        return _expand_throughout(value, env)


class Source(Reading):
    """One kind of export: its files or its live CRM, its format, and its mapping to one canonical entity.

    Attributes:
        entity: the canonical entity. A template may leave it open: it then stands for four sources, ``<name>.contract``
            and so on, which share their files.
        path: globs of its files; empty where ``connect`` names a live CRM. With ``{date:%Y-%m-%d}`` in it each file is
            the export of the day in its name, and a night takes all days that it has not recorded yet.
        header_row: row of the header; None finds it: the first row of a text file, in a workbook the first row that
            holds the mapped columns.
        sheet: one sheet of a workbook; None is the first one, ``*`` every sheet that holds the mapped columns.
        mode: full: what a new export lacks has been deleted; append: it has not; delta: only what has changed is
            delivered, and ``deleted`` tells which rows are gone.
        deleted: for ``delta``: the column that is true for a row that has been deleted.
        template: the columns are recognised by their headers, one of the process templates; no mapping is needed, and
            ``columns`` holds only what is to be read otherwise. ``ignore`` may name sheets here, too.
        landed_as: name under which the files are landed; for templates the one in the configuration.
        refused: whether a file that cannot be used stops the night (error) or only this source (ignore).
        fresh_within_hours: how old the newest record may be before the source counts as stale; None: as the settings.
        hidden: whether rows and columns hidden in a workbook are read, as a filter leaves them, or set aside.
    """

    name: str
    entity: str
    path: tuple[str, ...] = ()
    connect: Connect | None = None
    format: Format | None = None
    header_row: Annotated[int, Field(ge=1)] | None = None
    sheet: str | None = None
    mode: Literal["full", "append", "delta"] = "full"
    deleted: Column | None = None
    template: bool = False
    landed_as: str = ""
    missing: Literal["error", "ignore"] = "error"
    refused: Literal["error", "ignore"] = "error"
    fresh_within_hours: Annotated[float, Field(gt=0)] | None = None
    hidden: Literal["read", "set_aside"] = "read"
    repeats: bool = False
    columns: dict[str, Column] = {}
    ignore: tuple[str, ...] = ()

    @field_validator("path", mode="before")
    @classmethod
    def _expand(cls, value: Any, info: ValidationInfo) -> Any:
        env: Mapping[str, str] = (info.context or {}).get("env", {})
        return tuple(_expand_variables(item, env) for item in ([value] if isinstance(value, str) else value))

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.path) == (self.connect is not None):
            raise ValueError("expected either path (files) or connect (a live CRM)")
        if not self.columns and not self.template:
            raise ValueError("expected columns, or template: true for a sheet that is recognised by its header")
        if self.deleted is not None and self.mode != "delta":
            raise ValueError("deleted goes with mode: delta; a full export tells by what it lacks")
        if self.template and self.entity not in TEMPLATES:
            raise ValueError(f"template: true is for {', '.join(TEMPLATES)}; found {self.entity}")
        return self

    @model_validator(mode="after")
    def _dated_throughout(self) -> Self:
        if len({DateInName.of(item) is None for item in self.path}) > 1:
            raise ValueError("expected {date:...} in every path of the source, or in none")
        return self

    @property
    def is_dated(self) -> bool:
        """Whether the name of each file tells the day that it shows."""
        return any(DateInName.of(item) for item in self.path)

    def paths(self, as_of: date) -> tuple[str, ...]:
        """The globs of this source for one night: ``{as_of:%Y-%m-%d}`` stands for the night's date."""
        return tuple(glob for glob, _ in self.dated_paths(as_of))

    def dated_paths(self, as_of: date) -> tuple[tuple[str, DateInName | None], ...]:
        """The globs of this source for one night, each with where the day stands in a file's name."""
        paths = (_AS_OF.sub(lambda found: as_of.strftime(found[1] or "%Y-%m-%d"), item) for item in self.path)
        return tuple((any_day(path), DateInName.of(path)) for path in paths)


def _expand_throughout(value: Any, env: Mapping[str, str]) -> Any:
    """A text with its variables, a list or mapping with those of all its texts."""
    if isinstance(value, dict):
        return {key: _expand_throughout(item, env) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand_throughout(item, env) for item in value]
    return _expand_variables(value, env) if isinstance(value, str) else value


def _expand_variables(path: str, env: Mapping[str, str]) -> str:
    missing = [name for name in _VARIABLE.findall(path) if name not in env]
    if missing:
        raise ValueError(f"environment variable {' and '.join(missing)} is not set")
    return _VARIABLE.sub(lambda found: env[found[1]], path)


class Sources(ConfigModel):
    """All sources by name, each with the defaults filled in."""

    sources: dict[str, Source]

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("sources"), dict):
            return data
        data = dict(data)
        defaults = data.pop("defaults", None) or {}
        Reading.model_validate(defaults)
        data["sources"] = {
            expanded: {**defaults, **entry} if isinstance(entry, dict) else entry
            for name, source in data["sources"].items()
            for expanded, entry in _by_entity(name, source)
        }
        return data


def _by_entity(name: str, source: Any) -> Iterator[tuple[str, Any]]:
    """A source as configured; a template without an entity as one source for each of the templates."""
    if not isinstance(source, dict):
        yield name, source
    elif source.get("template") is True and "entity" not in source:
        for entity in TEMPLATES:
            expanded = f"{name}.{entity}"
            yield expanded, {**source, "entity": entity, "name": expanded, "landed_as": name}
    else:
        yield name, {**source, "name": name, "landed_as": name}
