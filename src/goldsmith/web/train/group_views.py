"""What the pages of several trainings show: before they start, and beside each other. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Literal
from urllib.parse import urlencode

from goldsmith.compare.tables import LearningCurve
from goldsmith.jobs.states import JobState
from goldsmith.train.groups import GroupPlan, Planned
from goldsmith.train.shares import SHARE
from goldsmith.train.tables import DIAL, TrainingGroup
from goldsmith.web import format as formats
from goldsmith.web.pages import Page
from goldsmith.web.parts import LineChart, Series, thinned
from goldsmith.web.train.queue_views import SOURCES
from goldsmith.web.train.side_by_side import Measured, took_s

NUM_CURVES: Final = 4
DIAL_TITLE: Final = "How thoroughly"
_LOOKS: Final[tuple[Literal["exam", "learn", "second", "third"], ...]] = ("exam", "second", "third", "learn")
Titles = Mapping[str, str]
"""Setting → its words on the form."""


@dataclass(frozen=True)
class PlannedLine:
    """One of several trainings before it starts."""

    values: tuple[str, ...]
    resolved: str
    """The numbers of the dial, where it is what differs."""
    takes: str


@dataclass(frozen=True)
class SeveralPage(Page):
    """Several trainings before they start."""

    template: ClassVar[str] = "train/several.html"
    current: ClassVar[str] = "training"
    lead: str
    heads: tuple[str, ...]
    lines: tuple[PlannedLine, ...]
    total: str
    action: str
    hidden: tuple[tuple[str, str], ...]
    back: str


@dataclass(frozen=True)
class GroupLine:
    """One of several trainings, with what came of it."""

    id: str
    values: tuple[str, ...]
    state: JobState
    lowest: str
    learned: str
    took: str
    verdict: str
    verdict_href: str
    model_id: str | None
    is_best: bool


@dataclass(frozen=True)
class GroupPage(Page):
    """Several trainings beside each other."""

    template: ClassVar[str] = "train/group.html"
    current: ClassVar[str] = "training"
    id: str
    lead: str
    heads: tuple[str, ...]
    lines: tuple[GroupLine, ...]
    chart: LineChart
    finding: str
    is_over: bool
    first_few: str
    """Where the best few stand side by side with all their settings; empty for fewer than two."""


@dataclass(frozen=True)
class GroupListLine:
    """A group in the list of groups."""

    href: str
    name: str
    about: str
    created_at: datetime


def several_page(planned: GroupPlan, titles: Titles, *, action: str, posted: Sequence[tuple[str, str]]) -> SeveralPage:
    """What would be started, and the total of time where it is known."""
    first, number = planned.trainings[0], len(planned.trainings)
    learned = first.what.training_set.name if first.what.training_set is not None else ""
    return SeveralPage(
        title=f"{number} trainings",
        lead=f"Of {learned} on {first.what.base.name}. Nothing has started yet.",
        heads=tuple(title_of(name, titles) for name in first.variant.differs),
        lines=tuple(_planned_line(each, titles) for each in planned.trainings),
        total=total_words(planned),
        action=action,
        hidden=tuple(posted),
        back=f"/training/new?{urlencode({**dict(posted), 'backend': first.what.backend.name})}",
    )


def total_words(planned: GroupPlan) -> str:
    """How long all of them take, or that nobody knows."""
    number = len(planned.trainings)
    if planned.seconds is not None:
        return f"All {number} take {formats.about(planned.seconds)} of this machine, one after the other."
    if planned.num_known:
        known = sum(each.expected.seconds for each in planned.trainings if each.expected is not None)
        return (
            f"{planned.num_known} of them take {formats.about(known)}; of the others nothing tells how long they take."
        )
    return "Nothing tells yet how long they take. Rehearse one of them first, and the total stands here."


def group_page(
    group: TrainingGroup, found: Sequence[Measured], titles: Titles, verdicts: Mapping[str, tuple[str, str]]
) -> GroupPage:
    """The page of a group. `verdicts`: model id → (what its newest comparison says, its address)."""
    ends = {one.row.id: min(loss for _, loss in one.exam) for one in found if one.exam}
    best = min(ends, key=lambda each: ends[each], default=None)
    best_few = sorted((one for one in found if one.row.id in ends), key=lambda one: ends[one.row.id])[:NUM_CURVES]
    chosen = "&".join(f"training={one.row.id}" for one in best_few)
    return GroupPage(
        title=group.name,
        id=group.id,
        lead=_lead(found),
        heads=tuple(title_of(name, titles) for name in group.varied),
        lines=tuple(_group_line(group, one, verdicts, is_best=one.row.id == best) for one in found),
        chart=LineChart("step", tuple(_series(one, look) for one, look in zip(best_few, _LOOKS, strict=False))),
        finding=_finding(best_few, ends),
        is_over=all(JobState(one.row.status).is_over for one in found),
        first_few=f"/training/side-by-side?{chosen}" if len(best_few) > 1 else "",
    )


def group_list_line(group: TrainingGroup, num_trainings: int, curve: LearningCurve | None) -> GroupListLine:
    """A group as a line; that of a learning curve leads there."""
    if curve is not None:
        said = str((curve.answer or {}).get("sentence", "no answer yet"))
        return GroupListLine(f"/training/curves/{curve.id}", group.name, f"Learning curve: {said}", group.created_at)
    varied = ", ".join(name.replace("_", " ") for name in group.varied)
    about = f"{num_trainings} trainings; varied: {varied}"
    return GroupListLine(f"/training/groups/{group.id}", group.name, about, group.created_at)


def title_of(name: str, titles: Titles) -> str:
    """A setting in the words of the form."""
    own = {DIAL: DIAL_TITLE, SHARE: "Share of the stars"}
    return own.get(name) or titles.get(name, name.replace("_", " ").capitalize())


def _planned_line(one: Planned, titles: Titles) -> PlannedLine:
    takes = "not known"
    if one.expected is not None:
        takes = f"{formats.about(one.expected.seconds)}, {SOURCES[one.expected.source]}"
    differs, used = one.variant.differs, one.what.options.in_effect()
    numbers = (f"{title_of(name, titles)} {_plain(used[name])}" for name in one.what.dialled if name not in differs)
    rows = [formats.counted(one.what.num_rows, "star")] if SHARE in differs else []
    return PlannedLine(_values(differs, differs), ", ".join([*rows, *numbers]), takes)


def _group_line(
    group: TrainingGroup, one: Measured, verdicts: Mapping[str, tuple[str, str]], *, is_best: bool
) -> GroupLine:
    row = one.row
    verdict, href = verdicts.get(row.output_model_id or "", ("", ""))
    return GroupLine(
        id=row.id,
        values=_values(group.varied, row.differs or {}),
        state=JobState(row.status),
        lowest=formats.loss(min((loss for _, loss in one.exam), default=None)),
        learned=formats.loss(row.training_loss),
        took=formats.duration(took_s(row)),
        verdict=verdict,
        verdict_href=href,
        model_id=row.output_model_id,
        is_best=is_best,
    )


def _lead(found: Sequence[Measured]) -> str:
    states = [JobState(one.row.status) for one in found]
    num_over, num_failed = sum(state.is_over for state in states), states.count(JobState.FAILED)
    failed = f"; {num_failed} failed, which stops none of the others" if num_failed else ""
    rest = "" if num_over == len(found) else " You can close this page; it goes on."
    return f"{num_over} of {formats.counted(len(found), 'training')} are over{failed}.{rest}"


def _finding(best_few: Sequence[Measured], ends: Mapping[str, float]) -> str:
    if not best_few:
        return "Nothing is measured on exam rows yet."
    told = ", ".join(f"{_short(one)} {formats.loss(ends[one.row.id])}" for one in best_few)
    return f"Lowest loss on exam rows: {told}. A lower loss is a hint, no proof: compare the models on the exam."


def _series(one: Measured, look: Literal["exam", "learn", "second", "third"]) -> Series:
    return Series(_short(one), look, thinned(one.exam))


def _short(one: Measured) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in (one.row.differs or {}).items())


def _values(names: Sequence[str] | Mapping[str, Any], differs: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(formats.share(differs.get(name)) if name == SHARE else _plain(differs.get(name, "")) for name in names)


def _plain(value: Any) -> str:
    return formats.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
