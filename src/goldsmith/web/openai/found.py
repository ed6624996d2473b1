"""The SELECTs that only OpenAI's addresses need."""

from collections.abc import Sequence

from sqlalchemy import or_, orm, select

from goldsmith.data.tables import StoredFile
from goldsmith.data.types import Upload
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.storage import clock
from goldsmith.train.recipe import ChatFile
from goldsmith.web.openai.errors import NotForTraining, StoredFileNotFound

FOR_TRAINING = "fine-tune"


def jobs_of(session: orm.Session, ids: Sequence[str]) -> dict[str, Job]:
    """Jobs by id."""
    return {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids)))}


def newest_events(
    session: orm.Session, job_id: str, *, before: int | None, limit: int, kind: str | None = None
) -> list[JobEvent]:
    """A job's events, newest first, before the event with the id `before`."""
    query = select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.id.desc()).limit(limit)
    if before is not None:
        query = query.where(JobEvent.id < before)
    return list(session.scalars(query.where(JobEvent.kind == kind) if kind else query))


def file(session: orm.Session, file_id: str, *, domain: str) -> StoredFile:
    """The file. Raises StoredFileNotFound."""
    stored = session.get(StoredFile, file_id)
    is_gone = stored is not None and stored.expires_at is not None and stored.expires_at <= clock.now()
    if stored is None or is_gone or stored.domain != domain:
        raise StoredFileNotFound(f"There is no file {file_id}.")
    return stored


def chat_file(session: orm.Session, file_id: str, *, domain: str) -> ChatFile:
    """A file that a training may start from. Raises StoredFileNotFound, NotForTraining."""
    stored = file(session, file_id, domain=domain)
    if stored.purpose != FOR_TRAINING:
        raise NotForTraining(f"{stored.filename} was uploaded with the purpose {stored.purpose}, not {FOR_TRAINING}.")
    return ChatFile(stored.id, Upload(stored.sha256, stored.filename, stored.size_bytes))


def files(
    session: orm.Session, *, domain: str, purpose: str | None, after: str | None, is_newest_first: bool, limit: int
) -> list[StoredFile]:
    """Files in the order of their ids, behind the file with the id `after`."""
    order = StoredFile.id.desc() if is_newest_first else StoredFile.id
    is_there = or_(StoredFile.expires_at.is_(None), StoredFile.expires_at > clock.now())
    query = select(StoredFile).where(StoredFile.domain == domain, is_there).order_by(order).limit(limit)
    if purpose is not None:
        query = query.where(StoredFile.purpose == purpose)
    if after is not None:
        query = query.where(StoredFile.id < after if is_newest_first else StoredFile.id > after)
    return list(session.scalars(query))
