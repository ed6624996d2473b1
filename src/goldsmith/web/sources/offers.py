"""What a source's page shows of answers that are offered there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import orm

from goldsmith.connect.offering import queries, service
from goldsmith.connect.offering.tables import SourceOffer
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.run.tables import Run
from goldsmith.web.forms import FormField, Option
from goldsmith.web.listing import Head

OFFER_HEADS = (
    *(Head("Run"), Head("State"), Head("New there", is_number=True), Head("There already", is_number=True)),
    *(Head("Left out", is_number=True), Head("When")),
)


@dataclass(frozen=True)
class OfferLine:
    """One run's answers."""

    run_id: str
    run: str
    job_id: str
    state: str
    is_by_itself: bool
    num_new: int
    num_same: int
    num_not_taken: int
    not_taken: tuple[tuple[str, str], ...]
    trouble: str
    at: datetime


@dataclass(frozen=True)
class OffersPart:
    """What was offered, newest first, and what can be."""

    lines: tuple[OfferLine, ...]
    field: FormField | None
    """To choose a run; None while there is none over the rows."""
    live: str
    """The job that is at it."""
    title: str
    about: str
    """What becomes of them there."""
    heads: tuple[Head, ...] = OFFER_HEADS


def offers_part(session: orm.Session, connection: SourceConnection) -> OffersPart | None:
    """None for a source that takes no answers, or is read no more."""
    if connection.removed_at is not None or not service.takes_answers(connection.kind):
        return None
    found = queries.offers(session, connection.id)
    busy = next((job.id for _, job, _ in found if not JobState(job.state).is_over), "")
    runs = tuple(Option(run.id, run.name) for run in queries.runs(session, connection))
    field = FormField("run", "Run", kind="select", options=runs) if runs else None
    words = service.words_of(connection.kind)
    return OffersPart(tuple(_line(*each) for each in found), field, busy, *words)


def _line(offer: SourceOffer, job: Job, run: Run) -> OfferLine:
    return OfferLine(
        run_id=run.id,
        run=run.name,
        job_id=job.id,
        state=job.state,
        is_by_itself=offer.is_by_itself,
        num_new=offer.num_new,
        num_same=offer.num_same,
        num_not_taken=offer.num_not_taken,
        not_taken=tuple((each["place"], each["reason"]) for each in offer.not_taken[:50]),
        trouble=str((job.failure or {}).get("summary", "")),
        at=offer.created_at,
    )
