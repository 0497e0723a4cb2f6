"""The SMART check of a plan: verdict and reason of every target, pin, goal, initiative and action, letter by letter.

Specific, measurable, achievable, relevant, time-bound; and one directly responsible person for whatever is to be done.
Nothing fails for want of data: before the first night, and for what no mart says yet, the check says that it is not
known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from flows.config.fiscal import FiscalCalendar
from flows.config.plan.model import Goal, Pin, Plan, Responsible, Target
from flows.config.plan.versions import PlanVersion, resolved
from flows.planning.allocation.capacity import WorkingDays
from flows.planning.allocation.people import people_of
from flows.planning.check.achievable import Reach
from flows.planning.check.feeds import Feeds
from flows.planning.check.goals import Goals
from flows.planning.check.known import Known
from flows.planning.check.verdicts import Finding, Item, Judged, Report


@dataclass(frozen=True)
class Company:
    """What every plan of a company is held against.

    Attributes:
        days: working days of its calendar.
        node_days: of nodes that work other days, with all below them.
    """

    feeds: Feeds
    fiscal: FiscalCalendar
    currency: str
    days: WorkingDays
    node_days: Mapping[str, WorkingDays] = field(default_factory=dict)


def check_plan(plan: Plan, company: Company, known: Known, today: date) -> Report:
    """Check the version in force and those to come, and the goals.

    Args:
        plan: of one fiscal year; need not have been loaded without faults.
        company: its configuration.
        known: what the published marts say.
        today: what is past and what is to come.
    """
    versions = checked_versions(plan, today)
    whole = [target for version in versions for target in version.whole.targets]
    goals = Goals(plan, _people(plan, known), bool(known.people), company.fiscal, today)
    judged = [one for version in versions for one in _version(version, goals, company, known)]
    verdicts = {
        goal.id: [
            one.verdict("A")
            for version in versions
            for target, one in zip(version.whole.targets, _targets_of(judged, version), strict=True)
            if target.goal == goal.id
        ]
        for goal in plan.goals
    }
    judged += [
        Judged(item, (*_moves(one, company, known), *goals.judge(one, item.kind, whole, verdicts)))
        for item, one in _responsible(plan.goals)
    ]
    return Report(plan.year, tuple(judged))


def checked_versions(plan: Plan, today: date) -> tuple[PlanVersion, ...]:
    """The version in force, if there is one, and those that take effect later."""
    versions = resolved(plan)
    coming = [version for version in versions if version.effective_on > today]
    return (*versions[: len(versions) - len(coming)][-1:], *coming)


def _version(version: PlanVersion, goals: Goals, company: Company, known: Known) -> Iterator[Judged]:
    reach = Reach(version, known, company.fiscal, company.days, company.node_days, company.currency)
    nodes = _nodes(version, known)
    for target in version.whole.targets:
        name = f"{target.metric} · {target.node}" + (f" · {target.segment}" if target.segment else "")
        yield Judged(
            Item("target", name, version.id),
            (
                *_specific(target, nodes, known),
                company.feeds.judge(target.metric, known.kinds or None),
                *((Finding("M", "warn", "segment_unmeasured", {"segment": target.segment}),) if target.segment else ()),
                *reach.target(target),
                *goals.of_target(target, version),
                *goals.deadline_of_target(target, version),
                *(goals.responsible(target.dri, target.due_on) if target.dri else ()),
            ),
        )
    for pin in version.whole.pins:
        yield Judged(
            Item("pin", f"{pin.metric} · {pin.node} · {pin.period}", version.id),
            (
                _node(pin.node, nodes, known),
                company.feeds.judge(pin.metric, known.kinds or None),
                *reach.pin(pin),
                _of_target(pin, version),
                goals.period_of_pin(pin, version),
            ),
        )


def _targets_of(judged: Sequence[Judged], version: PlanVersion) -> list[Judged]:
    return [one for one in judged if one.item.kind == "target" and one.item.version == version.id]


def _specific(target: Target, nodes: frozenset[str], known: Known) -> Iterator[Finding]:
    yield _node(target.node, nodes, known)
    if target.segment is not None and known.night is not None and target.segment not in known.segments:
        seen = ", ".join(sorted(known.segments)) or "-"
        yield Finding("S", "fail", "segment_unknown", {"segment": target.segment, "known": seen})
    elif target.segment is not None and known.night is None:
        yield Finding("S", "warn", "segment_unchecked", {"segment": target.segment})
    if target.stretch is None and target.stretch_ratio is None:
        yield Finding("S", "warn", "no_stretch")


def _node(node: str, nodes: frozenset[str], known: Known) -> Finding:
    if node in nodes:
        return Finding("S", "pass", "node_known", {"node": node})
    if known.night is None and len(nodes) == 1:
        return Finding("S", "warn", "node_unchecked", {"node": node})
    kind = node.partition(":")[0]
    same = sorted(one for one in nodes if one.partition(":")[0] == kind)[:12]
    return Finding("S", "fail", "node_unknown", {"node": node, "known": ", ".join(same) or "-"})


def _nodes(version: PlanVersion, known: Known) -> frozenset[str]:
    """The company, the nodes of the people whom the plan names, and tonight's organisation."""
    people = people_of(version, known.headcount)
    found = {"company", *known.nodes}
    for person in people:
        found.add(f"rep:{person.user_id}")
        if person.region:
            found.add(f"region:{person.region}")
        if person.team:
            found.add(f"team:{person.region or '-'}/{person.team}")
    return frozenset(found)


def _of_target(pin: Pin, version: PlanVersion) -> Finding:
    """A pin belongs to what is planned of its metric."""
    found = any(target.metric == pin.metric for target in version.whole.targets)
    if found:
        return Finding("R", "pass", "pin_of_target", {"metric": pin.metric})
    return Finding("R", "warn", "pin_alone", {"metric": pin.metric})


def _responsible(goals: Sequence[Goal]) -> Iterator[tuple[Item, Responsible]]:
    for goal in goals:
        yield Item("goal", f"{goal.id} {goal.name}"), goal
        for initiative in goal.initiatives:
            yield Item("initiative", f"{initiative.id} {initiative.name}"), initiative
            for action in initiative.actions:
                yield Item("action", f"{action.id} {action.name}"), action


def _moves(one: Responsible, company: Company, known: Known) -> Iterator[Finding]:
    """Named, and with a metric that it is to move."""
    yield Finding("S", "pass", "named", {"name": one.name})
    if one.metric is None:
        yield Finding("M", "warn", "moves_nothing", {"id": one.id})
    else:
        yield company.feeds.judge(one.metric, known.kinds or None)


def _people(plan: Plan, known: Known) -> dict[str, tuple[str, date | None, bool]]:
    """Name, last day and whether still there of everybody: the plan's people and the users."""
    found = {user: (member.name, member.left_on, member.is_active) for user, member in known.people.items()}
    for person in known.headcount:
        found.setdefault(person.user_id, (person.name or person.user_id, person.left_on, True))
    for version in resolved(plan):
        for person in version.whole.people:
            name, left_on, is_active = found.get(person.user_id, (person.name or person.user_id, None, True))
            found[person.user_id] = (name, person.left_on or left_on, is_active)
    return found
