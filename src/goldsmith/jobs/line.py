"""The line of what waits for a slot: a person moves a job of their organisation in it; the database keeps the order.

An organisation's jobs change places among themselves only: those of others stay where they are, because one machine
serves them all. Who comes later, or comes back later, stands behind everybody who was given a place.
"""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy.orm import Session

from goldsmith.jobs import queries
from goldsmith.jobs.errors import NotInLine
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job


class Step(StrEnum):
    """Where to in the line, among the jobs of the same organisation."""

    first = "first"
    up = "up"
    down = "down"
    last = "last"


def move(session: Session, job: Job, step: Step) -> int:
    """Give a waiting job another place; returns it, 1 being the next to start. Raises NotInLine."""
    session.refresh(job, with_for_update=True)
    if job.state != JobState.QUEUED.value or not job.needs_slot:
        raise NotInLine(f"{job.title} is {job.state} and stands in no line.")
    line = queries.line(session)
    own = iter(moved([each.id for each in line if each.domain == job.domain], job.id, step))
    by_id = {each.id: each for each in line}
    order = [by_id[next(own)] if each.domain == job.domain else each for each in line]
    for place, each in enumerate(order):
        each.priority = len(order) - place
    session.flush()
    return order.index(job) + 1


def moved(ids: Sequence[str], which: str, step: Step) -> list[str]:
    """The ids with one of them at another place; at the end of the line a step goes nowhere. Pure."""
    place, rest = list(ids).index(which), [each for each in ids if each != which]
    there = {Step.first: 0, Step.up: max(0, place - 1), Step.down: place + 1, Step.last: len(rest)}[step]
    return [*rest[:there], which, *rest[there:]]
