"""A job's support bundle as an answer, for page and API. Used by the handlers only."""

from typing import Annotated

from fastapi import Depends, Response

from goldsmith.environments.about import about
from goldsmith.jobs import bundle, queries
from goldsmith.jobs.folder import JobFolder
from goldsmith.web.dependencies import ReadSession, TheHome, TheMachine
from goldsmith.web.job_access import ReadJob


def _bundle(session: ReadSession, home: TheHome, machine: TheMachine, job: ReadJob) -> Response:
    facts = about(machine, home=home.root, database=session.get_bind().dialect.name)
    events = queries.newest_events(session, job.id, limit=bundle.MAX_EVENTS)
    content = bundle.make(job, events, JobFolder.of(home, job.id), facts)
    name = f'attachment; filename="goldsmith-{job.id}.zip"'
    return Response(content, media_type="application/zip", headers={"content-disposition": name})


TheBundle = Annotated[Response, Depends(_bundle)]
"""The support bundle of the job of the address."""
