"""What waits for this machine, in its order, and when each is likely to begin. Used by every face."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import turns
from goldsmith.jobs.tables import Job
from goldsmith.jobs.turns import Waiting
from goldsmith.storage import clock
from goldsmith.train.expected import Expected, Known, Task
from goldsmith.train.tables import TrainingJob

TELLS_FROM: Final = 0.05
"""The share of a job that has to be done before its pace tells how long the rest takes."""
OTHERS = "Work of another organisation"


@dataclass(frozen=True)
class InLine:
    """A job that waits. `title` of another organisation's is not told."""

    job_id: str
    place: int
    title: str
    kind: str
    is_own: bool
    can_rise: bool
    """Whether another one of the same organisation stands before it."""
    can_fall: bool
    wanted_slot: str | None
    expected: Expected | None
    """How long it will take; None where nothing tells it."""
    begins_in_s: float | None
    begins_at: datetime | None
    """None where nobody can know."""


def line(session: Session, machine: MachineFacts, *, domain: str) -> list[InLine]:
    """Everything that waits for a slot, the next one first."""
    waiting, foretelling = jobs.line(session), _Foretelling(session)
    expected = {job.id: foretelling.of(job) for job in waiting}
    busy = _busy(session, machine, foretelling)
    asked = [Waiting(job.id, _seconds(expected[job.id]), job.wanted_slot) for job in waiting]
    begins, now = turns.begins(busy, asked), clock.now()
    own = [job.id for job in waiting if job.domain == domain]
    return [
        InLine(
            job_id=job.id,
            place=place,
            title=job.title if job.domain == domain else OTHERS,
            kind=job.kind,
            is_own=job.domain == domain,
            can_rise=job.domain == domain and job.id != own[0],
            can_fall=job.domain == domain and job.id != own[-1],
            wanted_slot=job.wanted_slot,
            expected=expected[job.id],
            begins_in_s=begins[job.id],
            begins_at=_at(now, begins[job.id]),
        )
        for place, job in enumerate(waiting, start=1)
    ]


def one(session: Session, machine: MachineFacts, job: Job) -> InLine | None:
    """How one job stands in the line; None for one that does not wait."""
    found = line(session, machine, domain=job.domain)
    return next((each for each in found if each.job_id == job.id), None)


def left_s(session: Session, job: Job) -> float | None:
    """How long a job at work will still be at it, in seconds; None where nothing tells it."""
    return _Foretelling(session).left_s(job)


class _Foretelling:
    """What jobs are likely to take; what an organisation's took is looked up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, Known] = {}

    def of(self, job: Job) -> Expected | None:
        training = self._session.get(TrainingJob, job.id)
        if training is None:
            return None
        if job.domain not in self._known:
            self._known[job.domain] = Known.of(self._session, domain=job.domain)
        return self._known[job.domain].expected(Task.of(training))

    def left_s(self, job: Job) -> float | None:
        """How long a job that runs will still be at it: as it says, as its like took, or at the pace that it had."""
        training = self._session.get(TrainingJob, job.id)
        if training is not None and training.seconds_left is not None:
            return training.seconds_left
        took_s = (clock.now() - job.started_at).total_seconds() if job.started_at is not None else 0.0
        expected = self.of(job)
        if expected is not None:
            return max(0.0, expected.seconds - took_s)
        tells = job.progress >= TELLS_FROM and job.attempt == 1
        return took_s * (1 - job.progress) / job.progress if tells else None


def _busy(session: Session, machine: MachineFacts, foretelling: _Foretelling) -> Mapping[str, float | None]:
    """Every slot → seconds until it is free. One that another machine has under the same name counts as this one."""
    slots: dict[str, float | None] = dict.fromkeys(machine.slots, 0.0)
    for job in jobs.in_slots(session):
        if job.slot in slots:
            slots[job.slot] = foretelling.left_s(job)
    return slots


def _seconds(expected: Expected | None) -> float | None:
    return expected.seconds if expected is not None else None


def _at(now: datetime, seconds: float | None) -> datetime | None:
    return now + timedelta(seconds=seconds) if seconds is not None else None
