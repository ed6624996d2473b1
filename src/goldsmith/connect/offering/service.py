"""The verb of offers: show a run's answers in the source that its rows came from. The work itself is a job's."""

from sqlalchemy.orm import Session

from goldsmith.connect.offering import queries
from goldsmith.connect.offering.errors import NotOfferable
from goldsmith.connect.offering.tables import SourceOffer
from goldsmith.connect.offering.types import OFFER_JOB
from goldsmith.connect.sources import kinds
from goldsmith.connect.sources.types import AnswersOptions
from goldsmith.connect.syncing import queries as connections
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.run import queries as runs
from goldsmith.run.tables import Run
from goldsmith.run.types import RunKindName
from goldsmith.storage.ids import Prefix, new_id


def takes_answers(kind: str) -> bool:
    """Whether sources of a kind take answers; those of a plugin that is gone do not."""
    known = kinds.installed().by_name.get(kind)
    return known is not None and issubclass(known.Options, AnswersOptions)


def words_of(kind: str) -> tuple[str, str]:
    """What heads the answers on a source's page, and what becomes of them there."""
    options = kinds.one(kind).Options
    if not issubclass(options, AnswersOptions):
        raise NotOfferable(f"Sources of the kind {kind} take no answers: they are only read.")
    return options.answers_title, options.answers_about


def offer(
    session: Session, connection_id: str, run_id: str, *, by: Person, is_by_itself: bool = False
) -> tuple[SourceOffer, Job]:
    """Queue it; of an offer that is not over, the job that is at it.

    Raises ConnectionNotFound, RunNotFound, NotOfferable.
    """
    connection = connections.one(session, connection_id, domain=by.domain, for_update=True)
    run = runs.one(session, run_id, domain=by.domain)
    _check(session, connection, run)
    found = queries.under_way(session, connection.id, run.id)
    if found is not None:
        if found[1].state == JobState.PAUSED.value:
            queue.again(session, found[1], f"asked for by {by.name}")
        return found
    title = f"Offer answers of {run.name} to {connection.name}"
    new = NewJob(OFFER_JOB, title, {"connection": connection.id, "run": run.id}, subject_id=connection.id)
    job = queue.add(session, new, by=by)
    made = SourceOffer(
        id=new_id(Prefix.OFFER),
        connection_id=connection.id,
        run_id=run.id,
        job_id=job.id,
        is_by_itself=is_by_itself,
        not_taken=[],
    )
    session.add(made)
    session.flush()
    return made, job


def _check(session: Session, connection: SourceConnection, run: Run) -> None:
    if not takes_answers(connection.kind):
        raise NotOfferable(f"{connection.name} takes no answers: it is only read.")
    if run.kind != RunKindName.MODEL.value:
        raise NotOfferable(f"The answers of {run.name} were not written by a model in a run over a dataset.")
    if not queries.is_of_source(session, run, connection):
        raise NotOfferable(f"{run.name} did not ask about rows of {connection.name}.")
