"""Relevant, time-bound, in one person's hands: targets, goals, what is undertaken for them, who stands for it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.model import Action, Goal, Initiative, Pin, Plan, Responsible, Target
from flows.config.plan.versions import PlanVersion
from flows.planning.check.verdicts import Finding, Kind, Verdict, worst

_SEVERAL = re.compile(r"[,;，、；/&+]|\s(?:and|und|和|与|及)\s")
Person = tuple[str, date | None, bool]
"""Name, last day, whether still there."""


class Goals:
    """The goals of a plan with what hangs on them."""

    def __init__(
        self, plan: Plan, people: Mapping[str, Person], users_known: bool, fiscal: FiscalCalendar, today: date
    ) -> None:
        self._goals = {goal.id: goal for goal in plan.goals}
        self._above: dict[str, Responsible] = {}
        for goal in plan.goals:
            for initiative in goal.initiatives:
                self._above[initiative.id] = goal
                self._above |= {action.id: initiative for action in initiative.actions}
        self._people = people
        self._users_known = users_known
        self._fiscal = fiscal
        self._year = fiscal.periods(plan.year, "year")[0]
        self._today = today

    def judge(
        self, one: Responsible, kind: Kind, targets: Sequence[Target], verdicts: Mapping[str, Sequence[Verdict | None]]
    ) -> Iterator[Finding]:
        """A goal, an initiative or an action: achievable, relevant, time-bound, and whose it is."""
        if isinstance(one, Goal):
            yield self._achieved(one, verdicts)
            yield from self._goal_relevant(one, targets)
        elif isinstance(one, Initiative):
            yield _undertaken(one)
            yield self._serves(one)
        elif isinstance(one, Action):
            yield self._beside(one)
            yield self._serves(one)
        yield from self._deadline(one)
        yield from self.responsible(one.dri, one.due_on)

    def of_target(self, target: Target, version: PlanVersion) -> Iterator[Finding]:
        """Linked to a goal whose parents end at a top goal, and whose metric the target's own is or leads to."""
        if target.goal is None:
            code = "unlinked" if self._goals else "no_goals"
            yield Finding("R", "fail" if self._goals else "warn", code, {"known": ", ".join(self._goals)})
            return
        chain, fault = self._chain(target.goal)
        if fault is not None:
            yield fault
            return
        leads = _leads_to(target.metric, version)
        metrics = [self._goals[goal].metric for goal in chain]
        said = {"chain": " → ".join(chain), "metric": target.metric, "goal": target.goal}
        if any(metric in leads for metric in metrics):
            yield Finding("R", "pass", "linked", said)
        elif all(metric is None for metric in metrics):
            yield Finding("R", "warn", "goal_without_metric", said)
        else:
            wanted = ", ".join(metric for metric in metrics if metric)
            yield Finding("R", "warn", "metric_apart", {**said, "wanted": wanted})

    def deadline_of_target(self, target: Target, version: PlanVersion) -> Iterator[Finding]:
        """A year's target is due by the year's end, or by a day of its own within it."""
        said = {"year": version.year, "from": self._year.start_on, "to": self._year.end_on, "due": target.due_on}
        if target.due_on is None:
            yield Finding("T", "pass", "due_by_year_end", said)
        elif not self._year.start_on <= target.due_on <= self._year.end_on:
            yield Finding("T", "fail", "due_outside", said)
        else:
            yield self._still_open(target.due_on, version.effective_on)

    def period_of_pin(self, pin: Pin, version: PlanVersion) -> Finding:
        """A period of the plan's fiscal year that is not over when the version takes effect."""
        period = self._fiscal.named(version.year, pin.period)
        if period is None:
            return Finding("T", "fail", "period_unknown", {"period": pin.period, "year": version.year})
        said = {"period": pin.period, "from": period.start_on, "to": period.end_on}
        return Finding("T", "pass", "period_known", said)

    def responsible(self, dri: str | None, due_on: date | None) -> Iterator[Finding]:
        """Exactly one person, who is known, and there until the deadline."""
        if dri is None or not dri.strip():
            yield Finding("DRI", "fail", "no_dri")
            return
        known = self._people.get(dri)
        if known is None and _SEVERAL.search(dri):
            yield Finding("DRI", "fail", "several_dri", {"dri": dri})
        elif known is None:
            found = self._users_known or bool(self._people)
            verdict: Verdict = "fail" if self._users_known else "warn"
            yield Finding("DRI", verdict, "dri_unknown" if found else "dri_unchecked", {"dri": dri})
        else:
            yield self._there(dri, known, due_on)

    def _there(self, dri: str, known: Person, due_on: date | None) -> Finding:
        name, left_on, is_active = known
        said = {"dri": dri, "name": name, "left": left_on, "due": due_on}
        if left_on is not None and left_on < self._today:
            return Finding("DRI", "fail", "dri_left", said)
        if not is_active:
            return Finding("DRI", "fail", "dri_inactive", said)
        if left_on is not None and due_on is not None and left_on < due_on:
            return Finding("DRI", "fail", "dri_leaves", said)
        return Finding("DRI", "pass", "dri_known", said)

    def _chain(self, goal: str) -> tuple[list[str], Finding | None]:
        """The goal and its parents up to the top; or what breaks the chain."""
        chain: list[str] = []
        at: str | None = goal
        while at is not None:
            if at not in self._goals:
                code = "parent_unknown" if chain else "goal_unknown"
                return chain, Finding("R", "fail", code, {"goal": at, "known": ", ".join(self._goals) or "-"})
            if at in chain:
                return chain, Finding("R", "fail", "goal_circle", {"chain": " → ".join([*chain, at])})
            chain.append(at)
            at = self._goals[at].parent
        return chain, None

    def _achieved(self, goal: Goal, verdicts: Mapping[str, Sequence[Verdict | None]]) -> Finding:
        """A goal is as achievable as what is stated for it."""
        own = [verdict for verdict in verdicts.get(goal.id, ()) if verdict is not None]
        found = worst(own)
        if found is None:
            return Finding("A", "pass", "goal_no_targets")
        return Finding("A", found, f"goal_{found}", {"n": len(own), "same": own.count(found)})

    def _goal_relevant(self, goal: Goal, targets: Sequence[Target]) -> Iterator[Finding]:
        chain, fault = self._chain(goal.id)
        if fault is not None:
            yield fault
            return
        below = {one for one in self._goals if goal.id in self._chain(one)[0]}
        n = len({(target.metric, target.node) for target in targets if target.goal in below})
        initiatives = sum(len(self._goals[one].initiatives) for one in below)
        said = {"chain": " → ".join(chain), "targets": n, "initiatives": initiatives}
        if n and initiatives:
            yield Finding("R", "pass", "goal_carried", said)
        else:
            code = "goal_empty" if not n and not initiatives else "goal_no_target" if not n else "goal_no_initiative"
            yield Finding("R", "fail" if code == "goal_empty" else "warn", code, said)

    def _beside(self, action: Action) -> Finding:
        """What else its person has to finish in the month."""
        everything = [
            one for goal in self._goals.values() for initiative in goal.initiatives for one in initiative.actions
        ]
        n = sum(one.dri == action.dri and _month(one.due_on) == _month(action.due_on) for one in everything)
        return Finding("A", "pass", "actions_of_dri", {"n": n})

    def _serves(self, one: Responsible) -> Finding:
        above = self._above[one.id]
        said = {"above": above.id, "metric": one.metric, "wanted": above.metric}
        return Finding("R", "pass", "serves", said)

    def _deadline(self, one: Responsible) -> Iterator[Finding]:
        said = {"due": one.due_on, "from": self._year.start_on, "to": self._year.end_on, "year": self._year.fiscal_year}
        above = self._above.get(one.id)
        if one.due_on is None:
            yield Finding("T", "fail", "no_deadline")
        elif not self._year.start_on <= one.due_on <= self._year.end_on:
            yield Finding("T", "fail", "due_outside", said)
        elif above is not None and above.due_on is not None and one.due_on > above.due_on:
            yield Finding("T", "fail", "due_after_parent", {**said, "above": above.id, "above_due": above.due_on})
        else:
            yield self._still_open(one.due_on, None)

    def _still_open(self, due_on: date, since: date | None) -> Finding:
        if since is not None and due_on < since:
            return Finding("T", "fail", "due_before_version", {"due": due_on, "since": since})
        days = (due_on - self._today).days
        if days < 0:
            return Finding("T", "warn", "due_past", {"due": due_on, "days": -days})
        return Finding("T", "pass", "due_within", {"due": due_on, "days": days})


def _month(day: date | None) -> tuple[int, int] | None:
    return (day.year, day.month) if day else None


def _undertaken(initiative: Initiative) -> Finding:
    """An initiative is done by actions."""
    n = len(initiative.actions)
    return Finding("A", "pass" if n else "warn", "with_actions" if n else "no_actions", {"n": n})


_USUALLY = {
    "activities": "created_count",
    "leads": "qualified_leads",
    "qualified_leads": "created_count",
    "created_count": "won_count",
    "entered": "won_count",
    "won_count": "bookings",
    "new_customers": "bookings",
    "margin": "bookings",
    "cash_due": "cash_collected",
    "cash_collected": "collection_rate",
    "collection_rate": "cash_collected",
    "store_visits": "sell_through",
    "numeric_distribution": "sell_through",
    "sell_through": "bookings",
}
"""What moves what, where the plan states no step."""


def _leads_to(metric: str, version: PlanVersion) -> set[str]:
    """The metric, and what follows from it: through the version's funnel, or usually; a kind serves its family."""
    found = {metric, metric.partition(":")[0]}
    steps = [*((step.metric, step.to) for step in version.whole.funnel or ()), *_USUALLY.items()]
    while more := {to for of, to in steps if of in found} - found:
        found |= more
    return found
