"""What every canonical entity shares: column types, the base model, and the facts a schema states about itself.

A schema here is the contract at the border. It names the columns an export may fill, their types and the checks each
row must pass; the change log stores exactly these columns, and the dbt staging models mirror them (a test holds them
together).

Two conventions keep time simple:

* ``*_at`` is a moment, stored as a naive UTC timestamp with microseconds;
* ``*_on`` is a business date in the company's time zone. A column with metadata ``derived_from`` is filled by ingest
  from the moment it names, never mapped from a source.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pandera.polars as pa
import polars as pl

Amount = Annotated[pl.Decimal, 18, 2]
"""Money in the currency of the row, exact to the hundredth."""
Rate = Annotated[pl.Decimal, 18, 8]
"""A rate of exchange: units of the reporting currency for one unit of ``currency``."""
Moment = Annotated[pl.Datetime, "us", None]
"""A moment in UTC, stored without zone."""


DATE_MIN, DATE_MAX = date(1990, 1, 1), date(2100, 1, 1)
MOMENT_MIN, MOMENT_MAX = datetime(1990, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 (stored without zone)
ZERO = Decimal(0)


class Entity(pa.DataFrameModel):
    """Base of all canonical entities: strict columns in a fixed order, typed by ingest and never coerced.

    ``Config.metadata`` of an entity states its ``key`` (columns that identify a row, never null) and ``freshness`` (the
    column whose newest value says how fresh a file is, or None).
    """

    class Config:
        """Columns are exactly the declared ones; types are set by the mapping, so a mismatch is a fault of ours."""

        strict = True
        coerce = False
        ordered = True
        metadata: dict[str, Any]

    @classmethod
    def columns(cls) -> dict[str, Any]:
        """The pandera columns by name, in the order in which the change log stores them."""
        return dict(cls.to_schema().columns)

    @classmethod
    def key(cls) -> tuple[str, ...]:
        """Columns that identify a row; their values are never null."""
        return tuple(cls.Config.metadata["key"])

    @classmethod
    def freshness(cls) -> str | None:
        """The column whose newest value says how fresh a file is."""
        return cls.Config.metadata.get("freshness")

    @classmethod
    def dtypes(cls) -> dict[str, pl.DataType]:
        """Polars types by column."""
        return {name: column.dtype.type for name, column in cls.columns().items()}

    @classmethod
    def derived(cls) -> dict[str, str]:
        """Business-date columns that ingest fills, with the moment each comes from."""
        return {
            name: column.metadata["derived_from"]
            for name, column in cls.columns().items()
            if column.metadata and "derived_from" in column.metadata
        }


def text(description: str, *, required: bool = False, max_length: int = 4000, **checks: Any) -> Any:
    """A text column; a required one may be neither null nor empty."""
    bounds = {"min_value": 1, "max_value": max_length} if required else {"max_value": max_length}
    return pa.Field(nullable=not required, str_length=bounds, description=description, **checks)


def identifier(description: str, *, required: bool = False) -> Any:
    """An id as the source writes it: no space at either end, at most 255 characters."""
    return pa.Field(
        nullable=not required,
        str_length={"min_value": 1, "max_value": 255},
        str_matches=r"^\S(?:.*\S)?$",
        description=description,
    )


def business_date(description: str, *, derived_from: str | None = None, required: bool = False) -> Any:
    """A business date between 1990 and 2100; what lies outside is a slip of the keyboard or a wrong format."""
    return pa.Field(
        nullable=not required,
        in_range={"min_value": DATE_MIN, "max_value": DATE_MAX},
        description=description,
        metadata={"derived_from": derived_from} if derived_from else None,
    )


def moment(description: str, *, required: bool = False) -> Any:
    """A moment in UTC between 1990 and 2100."""
    return pa.Field(
        nullable=not required,
        in_range={"min_value": MOMENT_MIN, "max_value": MOMENT_MAX},
        description=description,
    )


def money(description: str, *, required: bool = False, non_negative: bool = False) -> Any:
    """An amount in the row's own currency."""
    checks: dict[str, Any] = {"ge": ZERO} if non_negative else {}
    return pa.Field(nullable=not required, description=description, **checks)


def flag(description: str) -> Any:
    """True, false or not stated."""
    return pa.Field(nullable=True, description=description)


def number(description: str, *, required: bool = False, **checks: Any) -> Any:
    """A count or a measure."""
    return pa.Field(nullable=not required, description=description, **checks)
