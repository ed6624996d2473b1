"""Every SELECT on exports: each is a job about its model, and a file that may have been removed."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models.errors import ExportNotFound
from goldsmith.models.tables import FineTunedModel
from goldsmith.storage.files import Home

KIND = "model_export"
NUM_SHOWN = 20


def page(session: Session, model: FineTunedModel, *, limit: int = NUM_SHOWN) -> list[Job]:
    """The model's exports, newest first."""
    query = select(Job).where(Job.kind == KIND, Job.subject_id == model.id, Job.domain == model.domain)
    return list(session.scalars(query.order_by(Job.id.desc()).limit(limit)))


def one(session: Session, model: FineTunedModel, export_id: str) -> Job:
    """One of them. Raises ExportNotFound."""
    job = session.get(Job, export_id)
    if job is None or (job.kind, job.subject_id, job.domain) != (KIND, model.id, model.domain):
        raise ExportNotFound(f"{model.name} has no export {export_id[:64]}.")
    return job


def file_of(home: Home, job: Job) -> Path | None:
    """Where its file lies; None before it is made and after it was removed."""
    name = (job.result or {}).get("file")
    if job.state != JobState.SUCCEEDED.value or not name:
        return None
    path = home.exports / job.id / str(name)
    return path if path.is_file() else None


def there(home: Home, job: Job) -> Path:
    """The same, insisted on. Raises ExportNotFound."""
    path = file_of(home, job)
    if path is None:
        raise ExportNotFound(f"The file of {job.title} is not there: {job.state}.")
    return path
