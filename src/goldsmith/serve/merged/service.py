"""The verb of merging, and what became of it. Only rows are written; `jobs.py` works.

A merged model is a base model of its own: its weights never change, so its id always means the same answers.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models import queries as models
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import service
from goldsmith.storage.files import Home

KIND_MERGE = "model_merge"
KIND_SPEED = "merge_speed"
SOURCE = "merged"


@dataclass(frozen=True)
class Merging:
    """How far a fine-tuned model is on its way to a merged one."""

    job: Job | None
    """The newest job that merges it."""
    model: BaseModel | None
    """The merged model, once it is there."""
    measuring: Job | None
    """The newest job that measures how much faster it is."""

    @property
    def speed(self) -> dict[str, Any] | None:
        """What was measured, once it was."""
        is_measured = self.measuring is not None and self.measuring.state == JobState.SUCCEEDED.value
        found = (self.measuring.result or {}) if self.measuring is not None and is_measured else {}
        return found if "merged_tokens_per_second" in found else None


def start(session: Session, model: FineTunedModel, *, by: Person, home: Home) -> Job | None:
    """Have the model merged and put on an engine of its own.

    None when it is merged already: then it is only deployed. A job that is at work on it is returned instead of a
    second one. Raises ModelAtProvider.
    """
    models.check_is_here(session, model, "be merged")
    found = look(session, model)
    if found.model is not None and models.folder_of(home, found.model).is_dir():
        service.deploy(session, found.model.id, by=by)
        return None
    if found.job is not None and not JobState(found.job.state).is_over:
        return found.job
    new = NewJob(KIND_MERGE, f"Merge {model.name}", {}, subject_id=model.id, needs_slot=True)
    return queue.add(session, new, by=by)


def look(session: Session, model: FineTunedModel) -> Merging:
    """How far it is."""
    merged = merged_of(session, model)
    measuring = jobs.newest_of(session, merged.id, KIND_SPEED) if merged is not None else None
    return Merging(jobs.newest_of(session, model.id, KIND_MERGE), merged, measuring)


def merged_of(session: Session, model: FineTunedModel) -> BaseModel | None:
    """The merged model that was made of a fine-tuned one."""
    query = select(BaseModel).where(BaseModel.merged_from == model.id, BaseModel.domain == model.domain)
    return session.scalar(query.order_by(BaseModel.id.desc()).limit(1))


def free_name(session: Session, model: FineTunedModel) -> str:
    """What a merged model is called: after its model; another one has the name already: with the id behind it."""
    name = f"{model.name}-merged"[:255]
    is_taken = models.base_called(session, name, domain=model.domain) is not None
    return f"{model.name[:200]}-merged-{model.id[-8:].lower()}" if is_taken else name


def is_to_be_timed(session: Session, base: BaseModel) -> bool:
    """Whether nobody has measured a merged model's speed yet, and nobody is at it."""
    earlier = jobs.newest_of(session, base.id, KIND_SPEED)
    return earlier is None or earlier.state in (JobState.FAILED.value, JobState.CANCELLED.value)


def queue_speed(session: Session, base: BaseModel, *, by: Person) -> Job:
    """Have it measured how much faster a merged model is than its adapter; wants quiet, so it takes the slot."""
    new = NewJob(KIND_SPEED, f"Measure how fast {base.name} is", {}, subject_id=base.id, needs_slot=True)
    return queue.add(session, new, by=by)
