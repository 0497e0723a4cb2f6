"""``settings.yaml``: the company, its calendar and money, the engine, publication and mail."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from flows.config.fiscal import FiscalCalendar
from flows.config.leaderboards import USUAL_BOARDS, Leaderboards
from flows.config.model import ConfigModel

Language = Literal["zh", "en"]
Flavour = Literal["channel"]
Share = Annotated[float, Field(ge=0, le=1)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Mail = Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("expected an IANA time zone such as Asia/Shanghai")
    return name


class Company(ConfigModel):
    """How the company is called on pages and in mails."""

    name: str
    name_en: str | None = None


class WorkCalendar(ConfigModel):
    """Which working days count. ``overrides`` names a file beside settings.yaml with days that differ."""

    country: str = "CN"
    subdivision: str | None = None
    overrides: str | None = None


class Calendar(WorkCalendar):
    """The company's calendar, and those of nodes that work other days (``region:海外``), with all below them."""

    nodes: dict[Annotated[str, Field(pattern=r"^(region|team|rep):.+$")], WorkCalendar] = {}


class FiscalWeeks(ConfigModel):
    """A fiscal year of weeks: the months of a quarter have so many (:class:`flows.config.fiscal.FiscalCalendar`)."""

    pattern: Literal["4-4-5", "4-5-4", "5-4-4"]
    week_ends_on: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "saturday"
    year_end: Literal["last", "nearest"] = "nearest"


class Engine(ConfigModel):
    """Limits of the embedded engine."""

    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s*(MB|GB|MiB|GiB)$")] = "4GB"
    threads: Annotated[int, Field(ge=1)] = 2


class Publish(ConfigModel):
    """How many published versions stay on disk."""

    keep_versions: Annotated[int, Field(ge=1)] = 7


class Audit(ConfigModel):
    """Limits of the audit. ``max_change``: share by which a table may shrink or grow against the published night."""

    max_change: Annotated[float, Field(gt=0)] = 0.3


class Identity(ConfigModel):
    """How far names are compared to find whom a sheet means, where it has no id and the mapping sheet says nothing.

    ``as_written``: width, case, spaces, punctuation, brackets and traditional characters do not count.
    ``without_legal_form``: nor does 有限公司, Ltd, GmbH … as long as only one customer remains.
    ``never``: only ids, mail addresses and the mapping sheet count.
    """

    names: Literal["without_legal_form", "as_written", "never"] = "without_legal_form"


class Hygiene(ConfigModel):
    """From when a deal is said to need attention; ``stages.yaml`` may say otherwise for a stage.

    Attributes:
        no_touch_working_days: this many working days without an activity are no touch.
        overdue_days: more days than these past the expected close are overdue.
        lying_signals: so many of no next step, no touch and overdue, and the deal only lies there.
        serial_push_months: pushed to a later month in so many different months, and the deal slips serially.
        dwell_min_n: so many stays must have ended before their p80 says that a deal is too long in its stage.
    """

    no_touch_working_days: Annotated[int, Field(ge=1)] = 10
    overdue_days: Annotated[int, Field(ge=0)] = 0
    lying_signals: Annotated[int, Field(ge=1, le=3)] = 2
    serial_push_months: Annotated[int, Field(ge=2)] = 3
    dwell_min_n: Annotated[int, Field(ge=1)] = 30


class MinPeriods(ConfigModel):
    """So many past periods of a kind must have had results before their curve counts."""

    month: Annotated[int, Field(ge=1)] = 12
    quarter: Annotated[int, Field(ge=1)] = 8
    half: Annotated[int, Field(ge=1)] = 6
    year: Annotated[int, Field(ge=1)] = 3


class DailyDays(ConfigModel):
    """So many days back, tonight's included, the pace of a kind of period is published day by day; 0 is not at all."""

    month: Annotated[int, Field(ge=0, le=750)] = 92
    quarter: Annotated[int, Field(ge=0, le=750)] = 0
    half: Annotated[int, Field(ge=0, le=750)] = 0
    year: Annotated[int, Field(ge=0, le=750)] = 0


class Pace(ConfigModel):
    """When the pace follows the curve of past periods, by working day otherwise; and how far back it is shown.

    ``min_events``: results in those periods. Of n results, a curve strays by 1 ÷ √(4n) in the middle of the period: of
    a hundred by five points, of a thousand by one and a half, which is less than a pace is read by.
    """

    min_periods: MinPeriods = MinPeriods()
    min_events: Annotated[int, Field(ge=1)] = 1000
    daily_days: DailyDays = DailyDays()


class Operator(ConfigModel):
    """Who is told when a night fails or is refused."""

    email: Mail
    language: Language = "en"


class Smtp(ConfigModel):
    """The mail server. The password comes from the environment variable ``password_env`` and from nowhere else."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_env: str = "PLANLOOP_SMTP_PASSWORD"  # noqa: S105 (the name of a variable)
    cafile: str | None = None
    timeout_seconds: Annotated[float, Field(gt=0)] = 30


class MailSettings(ConfigModel):
    """Sender, the recipient for nodes without an owner's address, and the server; without one, mails become files."""

    sender: str
    fallback_recipient: Mail
    report_url: str | None = None
    smtp: Smtp | None = None


class Settings(ConfigModel):
    """Everything that is about the company as a whole."""

    company: Company
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    language: Language = "zh"
    reporting_currency: Currency = "CNY"
    fiscal_year_start_month: Annotated[int, Field(ge=1, le=12)] = 1
    fiscal_weeks: FiscalWeeks | None = None
    calendar: Calendar = Calendar()
    bookings_from: Literal["opportunity", "contract", "line_item"] = "opportunity"
    flavours: tuple[Flavour, ...] | None = None
    engine: Engine = Engine()
    publish: Publish = Publish()
    quarantine_limit: Share = 0.05
    fresh_within_hours: Annotated[float, Field(gt=0)] = 24
    audit: Audit = Audit()
    identity: Identity = Identity()
    hygiene: Hygiene = Hygiene()
    pace: Pace = Pace()
    leaderboards: Leaderboards = USUAL_BOARDS
    operator: Operator
    mail: MailSettings
    state_url: str | None = None

    @property
    def fiscal(self) -> FiscalCalendar:
        """How the company counts its fiscal year."""
        weeks = self.fiscal_weeks.model_dump() if self.fiscal_weeks else {}
        return FiscalCalendar(self.fiscal_year_start_month, **weeks)

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.time_zone)
