"""Several trainings at once: every combination of the values that were given, shown first, then started together.

They are ordinary trainings and stand in the line one behind the other, so one that fails stops none of the others. The
rows are the same for all, and so is the exam.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from sqlalchemy.orm import Session

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import StopRequest
from goldsmith.people.types import Person
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.train import queries, service
from goldsmith.train.dial import Dial
from goldsmith.train.errors import NothingVaried, OptionsInvalid, TrainingNotPossible
from goldsmith.train.expected import Expected, Known
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.service import Checked
from goldsmith.train.shares import SHARE
from goldsmith.train.tables import DIAL, TrainingGroup
from goldsmith.train.workshop import Workshop

MOST: Final = 24
"""Trainings in a group: more are seldom looked at, and are easily asked for by a few values too many."""
LONGEST_NAME: Final = 200
Values = Mapping[str, Sequence[Any]]
"""Setting → the values that are tried. `dial` takes levels, `share` parts of the rows."""


@dataclass(frozen=True)
class Variant:
    """One of several trainings: the request, and what it has of what is varied."""

    request: TrainRequest
    differs: Mapping[str, Any]

    @property
    def words(self) -> str:
        """What it differs in: `learning_rate 0.0002, lora_rank 16`."""
        return ", ".join(f"{name} {value}" for name, value in self.differs.items())


@dataclass(frozen=True)
class Planned:
    """One of several trainings as it would be started."""

    variant: Variant
    what: Checked
    expected: Expected | None


@dataclass(frozen=True)
class GroupPlan:
    """Several trainings before they start. Nothing is known to speak against any of them."""

    trainings: tuple[Planned, ...]

    @property
    def num_known(self) -> int:
        """Of how many it is known how long they are likely to take."""
        return sum(each.expected is not None for each in self.trainings)

    @property
    def seconds(self) -> float | None:
        """How long all of them take, one after the other; None where that is not known of every one."""
        known = [each.expected.seconds for each in self.trainings if each.expected is not None]
        return sum(known) if len(known) == len(self.trainings) else None


def variants(request: TrainRequest, values: Values) -> list[Variant]:
    """Every combination of the values, in their order; values that are given twice count once. Raises NothingVaried."""
    given = {name: list(dict.fromkeys(some)) for name, some in values.items()}
    empty = [name for name, some in given.items() if not some]
    if empty:
        raise NothingVaried(f"No value is given for {', '.join(empty)}.")
    number = 1
    for some in given.values():
        number *= len(some)
    if number < 2:
        raise NothingVaried("Only one training would come of these values.")
    if number > MOST:
        raise NothingVaried(f"{number:,} trainings would come of these values; at most {MOST} are started at once.")
    combinations = (dict(zip(given, some, strict=True)) for some in product(*given.values()))
    return [_variant(request, differs) for differs in combinations]


def plan(session: Session, request: TrainRequest, values: Values, *, workshop: Workshop, by: Person) -> GroupPlan:
    """What would be started. Refuses what a start of any of them refuses, and trainings at a provider."""
    found, known = [], Known.of(session, domain=by.domain)
    for variant in variants(request, values):
        what = service.check(session, variant.request, workshop=workshop, by=by)
        if what.engine is not None:
            hint = "Start them one by one: a provider asks its price for each."
            raise TrainingNotPossible("Several trainings at once are for this machine.", hint=hint)
        found.append(Planned(variant, what, known.expected(what.task)))
    return GroupPlan(tuple(found))


def start(session: Session, request: TrainRequest, values: Values, *, workshop: Workshop, by: Person) -> TrainingGroup:
    """Queue all of them, or none."""
    planned = plan(session, request, values, workshop=workshop, by=by)
    first = planned.trainings[0].what
    learned = first.training_set.name if first.training_set is not None else ""
    name = (request.name or f"{learned} on {first.base.name.rpartition('/')[2]}").replace("/", "-")[:LONGEST_NAME]
    group = TrainingGroup(
        id=new_id(Prefix.TRAINING_GROUP), name=name, varied=list(values), domain=by.domain, created_by=by.id
    )
    session.add(group)
    session.flush()
    for each in planned.trainings:
        named = replace(each.variant.request, name=f"{name} ({each.variant.words})"[:255])
        training = service.start(session, named, workshop=workshop, by=by)
        training.group_id, training.differs = group.id, dict(each.variant.differs)
    session.flush()
    return group


def cancel_rest(session: Session, group: TrainingGroup) -> int:
    """Cancel every training of the group that has not ended; returns how many. What was learned stays."""
    found = [jobs.one(session, training.id) for training in queries.of_group(session, group.id)]
    rest = [job for job in found if not JobState(job.state).is_over or job.state == JobState.PAUSED.value]
    for job in reversed(rest):  # the last first, so that none begins because another one has ended
        queue.ask_to_stop(session, job, StopRequest.CANCEL)
    return len(rest)


def _variant(request: TrainRequest, differs: Mapping[str, Any]) -> Variant:
    options = {name: value for name, value in differs.items() if name not in (DIAL, SHARE)}
    changed = replace(
        request,
        options={**request.options, **options},
        dial=_level(differs[DIAL]) if DIAL in differs else request.dial,
        share=_share(differs[SHARE]) if SHARE in differs else request.share,
    )
    return Variant(changed, differs)


def _level(value: Any) -> Dial:
    if value not in list(Dial):
        raise OptionsInvalid(f"dial: {value!r} is none of {', '.join(Dial)}.")
    return Dial(value)


def _share(value: Any) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = 0.0
    if not 0 < share <= 1:
        raise OptionsInvalid(f"share: {value!r} is no part of the rows, such as 0.5.")
    return share
