"""A new company's configuration by the way it sells: commented files that load, and empty exports to fill in."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from flows.config import Config, load
from flows.config.loader import HERE
from flows.config.plan.model import PlanFlavour
from flows.config.settings import Language
from flows.errors import ConfigError
from flows.onboard.countries import currency_of, zone_of

_TEMPLATES = Path(__file__).parent / "flavour_templates"
_PLAIN = re.compile(r"[\w\u4e00-\u9fff][\w\u4e00-\u9fff '%-]*")
_COMMENT_AT = 37


@dataclass(frozen=True)
class _Source:
    """One file that the company fills in or exports."""

    name: str
    entity: str
    zh: str
    en: str
    columns: tuple[str, ...]
    mode: Literal["full", "append"] = "full"


@dataclass(frozen=True)
class _Stage:
    key: str
    en: str
    zh: str
    category: str
    chance: float | None = None
    needs: str = ""
    closed: str | None = None


def _source(name: str, entity: str, zh: str, en: str, columns: str, *, appended: bool = False) -> _Source:
    return _Source(name, entity, zh, en, tuple(columns.split()), "append" if appended else "full")


_USERS = _source(
    "users", "user", "销售人员", "the sales organisation",
    "user_id name email manager_id role region team is_active hired_on left_on language",
)  # fmt: skip
_ACCOUNTS = _source("accounts", "account", "客户", "customers", "account_id name industry segment region owner_id")
_OPPORTUNITIES = _source(
    "opportunities", "opportunity", "商机", "deals",
    "opportunity_id name account_id owner_id stage amount currency created_at expected_close_on closed_at source "
    "loss_reason next_step",
)  # fmt: skip
_ACTIVITIES = _source(
    "activities", "activity", "拜访、电话、演示等", "visits, calls, demos …",
    "activity_id activity_type opportunity_id account_id owner_id occurred_at subject", appended=True,
)  # fmt: skip
_BUYING = " has_budget has_decision_maker has_need has_timing"
_SOURCES: Mapping[PlanFlavour, tuple[_Source, ...]] = {
    "small": (_USERS, _ACCOUNTS, _OPPORTUNITIES),
    "saas": (
        _USERS,
        _ACCOUNTS,
        _source(
            "leads", "lead", "线索", "leads",
            "lead_id name source quality status industry segment owner_id created_at first_touch_at converted_at "
            "opportunity_id",
        ),
        _OPPORTUNITIES,
        _ACTIVITIES,
    ),
    "project": (
        _USERS,
        _ACCOUNTS,
        _source(
            "contacts", "contact", "联系人", "people at customers",
            "contact_id account_id name title is_decision_maker",
        ),
        replace(_OPPORTUNITIES, columns=(*_OPPORTUNITIES.columns, *_BUYING.split())),
        _ACTIVITIES,
        _source(
            "contracts", "contract", "合同", "contracts",
            "contract_id opportunity_id account_id owner_id amount cost currency signed_on status payment_terms",
        ),
        _source(
            "payments", "payment", "回款计划与到账", "instalments, due and paid",
            "payment_id contract_id installment due_on paid_on amount paid_amount currency",
        ),
    ),
    "channel": (
        _USERS,
        _ACCOUNTS,
        _OPPORTUNITIES,
        _source("products", "product", "产品", "products", "product_id name category list_price currency"),
        _source(
            "order_lines", "line_item", "订单行", "lines of orders",
            "line_item_id account_id owner_id product_id quantity unit_price amount currency booked_on", appended=True,
        ),
        _source(
            "stores", "store", "门店", "stores",
            "store_id name channel region city owner_id weight opened_on is_active",
        ),
        _source(
            "store_visits", "store_visit", "门店拜访与盘点", "visits of stores, stock counted",
            "visit_id store_id owner_id visited_on is_planned is_done sku_stocked sku_sold units_opening "
            "units_received units_sold units_on_hand", appended=True,
        ),
    ),
}  # fmt: skip
_ENDS = (
    _Stage("won", "Closed Won", "已成交", "closed", closed="won"),
    _Stage("lost", "Closed Lost", "流失", "omitted", closed="lost"),
)
_STAGES: Mapping[PlanFlavour, tuple[_Stage, ...]] = {
    "small": (
        _Stage("contact", "In contact", "接触中", "pipeline", 0.2),
        _Stage("offer", "Offer made", "已报价", "best_case", 0.5),
    ),
    "saas": (
        _Stage("qualified", "Qualified", "需求确认", "pipeline", 0.15, "need"),
        _Stage("demo", "Demo", "产品演示", "pipeline", 0.3, "need"),
        _Stage("trial", "Trial", "试用", "best_case", 0.5, "need, decision_maker"),
        _Stage("proposal", "Proposal", "报价", "commit", 0.75, "need, decision_maker, budget"),
    ),
    "project": (
        _Stage("prospecting", "Prospecting", "客户开发", "pipeline", 0.1),
        _Stage("qualification", "Qualification", "需求挖掘", "pipeline", 0.2, "need"),
        _Stage("solution", "Solution", "方案定制", "pipeline", 0.35, "need, budget"),
        _Stage("negotiation", "Negotiation", "商务谈判", "best_case", 0.6, "need, budget, decision_maker"),
        _Stage("contracting", "Contracting", "合同签订", "commit", 0.9, "need, budget, decision_maker, timing"),
    ),
    "channel": (
        _Stage("listed", "Listed", "意向门店", "pipeline", 0.2),
        _Stage("negotiation", "Negotiation", "进场谈判", "best_case", 0.5, "decision_maker"),
        _Stage("first_order", "First order", "首单", "commit", 0.8, "decision_maker, timing"),
    ),
}
_BOOKED: Mapping[PlanFlavour, str] = {"project": "contract", "channel": "line_item"}


def new_company(folder: Path, flavour: PlanFlavour, language: Language, country: str, year: int) -> dict[Path, str]:
    """The files of a new configuration folder and what they say.

    Args:
        country: ISO 3166 code; time zone and currency are those of it, as far as one of each is.
    """
    english = language == "en"
    said = {
        "folder": f"${{{HERE}}}",
        "flavour": flavour,
        "language": language,
        "year": year,
        "bookings_from": _BOOKED.get(flavour, "opportunity"),
        "stages": (*_STAGES[flavour], *_ENDS),
        "sources": [
            {**asdict(source), "what": source.en if english else source.zh, "file": f"{source.name}.csv"}
            for source in _SOURCES[flavour]
        ],
        "modes": {
            "full": "a row that is missing has been deleted" if english else "文件里没有的行视为已删除",
            "append": "rows are only added" if english else "只增加，不删除",
        },
        "say": lambda zh, en: en if english else zh,
        "text": lambda zh, en: _text(en if english else zh),
        "money": lambda wan: str(wan * 10_000) if english else f"{wan}万",
        "quoted": json.dumps,
        "pad": lambda text, at=_COMMENT_AT - 11: " " * max(1, at - len(text)),
        "country": country,
        "time_zone": zone_of(country),
        "currency": currency_of(country),
    }
    templates = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=select_autoescape((), default=False),
    )
    names = {f"{name}.yaml": f"{name}.yaml.j2" for name in ("settings", "sources", "stages", "alerts")}
    names[f"plans/{year}.yaml"] = f"plan_{flavour}.yaml.j2"
    texts = {folder / name: templates.get_template(template).render(said) for name, template in names.items()}
    for source in _SOURCES[flavour]:
        texts[folder / "exports" / f"{source.name}.csv"] = ",".join(source.columns) + "\n"
    return texts


def write_company(texts: Mapping[Path, str], folder: Path, env: Mapping[str, str]) -> Config:
    """Write the files of a new company and load them.

    Raises:
        ConfigError: one of them is there already; nothing has been written.
    """
    present = [path for path in texts if path.exists()]
    if present:
        raise ConfigError([f"{path}: expected no file, found one; init never overwrites" for path in present])
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return load(folder, env)


def _text(value: Any) -> str:
    """A text as a value in YAML, in a block or in braces."""
    return str(value) if _PLAIN.fullmatch(str(value)) else json.dumps(value, ensure_ascii=False)


def relative(paths: Iterable[Path], folder: Path) -> list[str]:
    """Names of files within the folder."""
    return [path.relative_to(folder).as_posix() for path in paths]
