"""Any plan that can be held: every section, names that look like something else, entries restated or taken back."""

# ruff: noqa: E501 (a section a line)

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.faults import Company
from flows.config.plan.model import Plan

COMPANY = Company(FiscalCalendar(), "CNY", ("proposal", "won"))
ODD = ("(none)", "'(无)", "''", "=1+1", "@sum", "007", "1e5", "1.0", "no", "2026-01-01", "_x0041_", "a: b", "# x", "~",
       "null", "签约额", "'签约额", "Bookings", "公司", "区域:华东", "活动：x", "目标", "12345678901234567890", '"', "{x}", "王芳", "- a", "'", "&a", "!b", "TRUE", "1,200万")  # fmt: skip

_letters = st.characters(codec="utf-8", exclude_categories=("C", "Z"))
names = st.sampled_from(ODD) | st.text(_letters, min_size=1, max_size=8)
texts = names | st.builds("{}\n{}".format, names, names)
regions = names.filter(lambda name: "/" not in name and name != "-")
money = st.decimals("0.01", 10**15 - 1, places=2) | st.integers(1, 10**6).map(lambda wan: Decimal(wan * 10_000))
shares = st.decimals(0, 1, allow_nan=False)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def some(fields: dict[str, Any], **required: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=fields)


def once(
    entries: st.SearchStrategy[dict[str, Any]], *key: str, most: int = 3
) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(entries, max_size=most, unique_by=lambda entry: tuple(entry.get(name) for name in key))


seasonality = (
    some({"years": st.integers(1, 10)}, by=st.sampled_from(["history", "flat"]))
    | some({"history_share": shares}, by=st.just("blend"), weights=st.lists(money, min_size=4, max_size=4))
    | some({}, by=st.just("given"), weights=st.lists(money, min_size=12, max_size=12))
)
proposals = some(
    {"blend": st.just({"growth": 2, "trend": "0.5"}) | st.just({"trend": 1})},
    growth=st.decimals("-0.9", 5, places=3),
    trend=st.just(True),
)
steps = st.just(
    [
        {"metric": "entered:proposal", "to": "bookings", "value": "history", "lead_days": 30},
        {"metric": "leads", "to": "entered:proposal", "rate": "12.5%"},
    ]
)
rules = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["c", "d"]),
        "name_en": names,
        "name_zh": names,
        "metric": st.just("bookings"),
        "tiers": st.just([{"at_least": 0, "rate": "1%"}, {"at_least": "100%", "rate": "0.0325"}]),
    },
    optional={
        "cap": money,
        "conditions": st.just([])
        | st.just([{"metric": "margin", "attainment_at_least": 1}, {"metric": "won_count", "value_at_least": 3}]),
        "roles": st.just(["rep", "manager", "leader"]),
        "clawback": st.booleans(),
        "period": st.sampled_from(["month", "quarter", "half", "year"]),
        "tier_mode": st.sampled_from(["marginal", "whole"]),
        "applies_to": st.just(["company"]),
    },
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    ids = draw(st.lists(names, min_size=3, max_size=3, unique=True))
    region, team = draw(regions), draw(names.filter(lambda name: name != "-"))
    nodes = st.sampled_from(["company", f"region:{region}", f"team:{region}/{team}", *(f"rep:{one}" for one in ids)])
    goals = draw(_goals(names))
    goal = {"goal": st.sampled_from([one["id"] for one in goals])} if goals else {}
    metrics = ["bookings", "margin", "won_count", "new_customers"]
    versions: list[dict[str, Any]] = []
    ramp = draw(names)
    for number in range(draw(st.integers(1, 3))):
        # A metric a version: what a later one restates would have to fit what it takes over.
        measured = st.just(metrics[number])
        amounts = money if number < 2 else st.integers(1, 10**9)
        target = some(
            {
                "segment": names,
                "stretch_ratio": st.decimals(1, 3, places=4) | st.none(),
                "currency": st.just("USD") if number < 2 else st.none(),
                "proposals": proposals | st.none(),
                "seasonality": seasonality | st.none(),
                "dri": names | st.none(),
                "due_on": days,
                **goal,
            },
            metric=measured,
            node=nodes,
            base=amounts,
        )
        pin = some(
            {}, metric=measured, node=nodes, period=st.sampled_from(["M12", "Q4", "year"]), base=amounts, reason=texts
        )
        person = some(
            {
                "left_on": st.none(),
                "ramp": st.just(ramp) | st.none(),
                "quota": money,
                "active_share": shares,
                "name": names,
            },
            user_id=st.sampled_from(ids),
        )
        whole = [{"user_id": one, "region": region, "team": team, "hired_on": draw(days)} for one in ids]
        version = some(
            {
                "decided_on": days,
                "targets": once(target, "metric", "node", "segment"),
                "pins": once(pin, "metric", "node", "period"),
                "seasonality": seasonality,
                "funnel": steps | st.just([]),
                "capacity": st.just([{"metric": "bookings", "quota_per_head": 1}]),
                "check": some({"min_coverage": shares}),
                "incentives": once(rules, "id"),
                "splits": once(
                    some({}, record_id=names, user_id=st.sampled_from(ids), share=st.just("0.25"), reason=texts), "record_id"
                ) if number == 0 else st.just([]),
                "draws": st.just([{"user_id": ids[0], "monthly": 1, "from_on": "2026-01-01", "until_on": "2026-02-01"}]),
            },
            id=st.just(f"v{number + 1}"),
            effective_on=st.just(date(2026, 1 + 3 * number, 1)),
            decided_by=names,
            reason=texts,
            budget_rates=st.just({"USD": "7.1234567"}),
            ramps=st.lists(shares, min_size=1, max_size=4).map(lambda curve: [{"id": ramp, "shares": curve}]),
            people=st.just(whole) if number == 0 else once(person, "user_id"),
        )  # fmt: skip
        versions.append(draw(version))
        before = versions[-2] if number else {}
        for pin in before.get("pins", [])[:1] if draw(st.booleans()) else ():
            named = {name: pin[name] for name in ("metric", "node", "period")}
            versions[-1]["withdrawn"] = [{**named, "reason": draw(texts)}]
        if draw(st.booleans()):
            versions[-1] |= {"split": "given", "split_weights": draw(st.dictionaries(nodes.filter(lambda n: n != "company"), shares.filter(bool), max_size=3))}  # fmt: skip
    return Plan.model_validate({"year": 2026, "flavour": draw(st.sampled_from(["project", "channel", "saas", "small"])), "goals": goals, "versions": versions})  # fmt: skip


def _goals(words: st.SearchStrategy[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    about = {"dri": words, "due_on": days, "metric": words}
    tree = [
        [("G1", None, [("I1", ["A1", "A2"]), ("I2", [])]), ("G2", "G1", [])],
        [("G1", None, [])],
        [],
    ]

    @st.composite
    def built(draw: st.DrawFn) -> list[dict[str, Any]]:
        def one(name: str, **more: Any) -> dict[str, Any]:
            return {"id": name, "name": draw(texts), **draw(some(about)), **more}

        return [
            one(
                goal,
                parent=parent,
                initiatives=[
                    one(initiative, budget=draw(money), actions=[one(action) for action in actions])
                    for initiative, actions in initiatives
                ],
            )
            for goal, parent, initiatives in draw(st.sampled_from(tree))
        ]

    return built()
