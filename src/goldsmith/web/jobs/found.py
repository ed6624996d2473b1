"""Puts the activity page together from what the steps' queries find. Used by the handlers only."""

from fastapi import Request
from sqlalchemy import orm

from goldsmith.jobs import notices, queries
from goldsmith.jobs.states import ACTIVE, JobState
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.web.job_lines import job_line
from goldsmith.web.jobs.views import ActivityPage, notice_line
from goldsmith.web.lately import LatelyLine, history_line
from goldsmith.web.listing import Pager, chips, with_query

PAGE_SIZE = 50
NUM_CHANGES = 3
SHOWN = (("", "All"), *((state.value, state.value.capitalize()) for state in JobState))


def activity_page(
    request: Request, session: orm.Session, person: Person, *, state: JobState | None, before: str | None
) -> ActivityPage:
    """Every job, newest first; the first page also says what ended, what is at work and what changed about models."""
    working = queries.page(session, domain=person.domain, states=ACTIVE) if not (state or before) else []
    states = (state,) if state else ()
    found = queries.page(session, domain=person.domain, states=states, before=before, limit=PAGE_SIZE + 1)
    jobs = [job for job in found[:PAGE_SIZE] if job not in working]
    more = with_query(request, before=found[PAGE_SIZE - 1].id) if len(found) > PAGE_SIZE else None
    return ActivityPage(
        title="Activity",
        notices=() if state or before else tuple(notice_line(job) for job in notices.unread(session, by=person)),
        working=tuple(job_line(job) for job in working),
        changes=() if state or before else _changes(session, person),
        jobs=tuple(job_line(job) for job in jobs),
        filters=chips(request, "state", SHOWN),
        pager=Pager(f"{len(jobs)} shown, newest first", with_query(request, before=None) if before else None, more),
        address=with_query(request),
    )


def _changes(session: orm.Session, person: Person) -> tuple[LatelyLine, ...]:
    names = serve.model_names(session)
    found = serve.history(session, domain=person.domain, limit=NUM_CHANGES)
    return tuple(history_line(entry, names) for entry in found)
