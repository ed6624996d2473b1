"""The API over answers that are offered to a source."""

from datetime import datetime

from fastapi import APIRouter, Response

from goldsmith.connect.offering import queries, service
from goldsmith.connect.offering.tables import SourceOffer
from goldsmith.connect.syncing import queries as connections
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.web.answers import ApiAnswer, ApiBody, Id, Limit, Name, not_yet
from goldsmith.web.dependencies import CurrentPerson, ReadSession, TheState
from goldsmith.web.waiting import wait_for_job

api = APIRouter(prefix="/v1/sources", tags=["sources"])


class OfferBody(ApiBody):
    """Whose answers."""

    run: Name
    """The id of a run over the dataset of this source."""


class OfferAnswer(ApiAnswer):
    """Answers of a run that are offered to a source, and what became of them."""

    id: str
    run_id: str
    job_id: str
    state: JobState
    is_by_itself: bool
    num_new: int
    num_same: int
    """Stood there already."""
    num_not_taken: int
    not_taken: list[dict[str, str]]
    """The first 200 that were left out: place and reason."""
    created_at: datetime


class OffersAnswer(ApiAnswer):
    """Offers, newest first."""

    offers: list[OfferAnswer]


@api.post("/{source}/offers", responses={202: {"model": OfferAnswer}})
def offer(state: TheState, person: CurrentPerson, source: Id, body: OfferBody, response: Response) -> OfferAnswer:
    """Have a run's answers in the source: at their rows, or as one file; 202 when that takes over ten seconds."""
    with state.database.transaction() as session:
        found, job = service.offer(session, source, body.run, by=person)
        job_id, connection_id = job.id, found.connection_id
    wait_for_job(state.database, job_id)
    with state.database.reading() as session:
        job = session.get_one(Job, job_id)
        if not JobState(job.state).is_over:
            not_yet(response, f"/v1/sources/{connection_id}/offers")
        return _shown(queries.offer_of(session, job_id), job)


@api.get("/{source}/offers")
def offers(session: ReadSession, person: CurrentPerson, source: Id, limit: Limit = 50) -> OffersAnswer:
    """What was offered to a source, newest first."""
    found = connections.one(session, source, domain=person.domain)
    return OffersAnswer(offers=[_shown(one, job) for one, job, _ in queries.offers(session, found.id, limit=limit)])


def _shown(found: SourceOffer, job: Job) -> OfferAnswer:
    own = {name: getattr(found, name) for name in OfferAnswer.model_fields if hasattr(found, name)}
    return OfferAnswer(**own, state=JobState(job.state))
