"""The verbs of exports: have a model taken out, and remove the file again. Only rows are written; `jobs.py` works."""

from sqlalchemy.orm import Session

from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models import queries as models
from goldsmith.models.exports import queries
from goldsmith.models.tables import FineTunedModel
from goldsmith.people.types import Person
from goldsmith.storage.files import Home, remove_folder
from goldsmith.wire.export import ExportForm

TITLES = {
    ExportForm.ADAPTER: "Take out the adapter of",
    ExportForm.MERGED: "Take out, merged,",
    ExportForm.GGUF: "Take out as GGUF",
}


def start(session: Session, model: FineTunedModel, form: ExportForm, *, by: Person) -> Job:
    """Have the model taken out; a job that is at work on the same is returned instead of a second one.

    Raises ModelAtProvider.
    """
    models.check_is_here(session, model, "be taken out")
    for earlier in queries.page(session, model):
        if earlier.params.get("form") == form.value and not JobState(earlier.state).is_over:
            return earlier
    params = {"form": form.value}
    title = f"{TITLES[form]} {model.name}"
    return queue.add(session, NewJob(queries.KIND, title, params, subject_id=model.id, needs_slot=True), by=by)


def remove(home: Home, job: Job) -> None:
    """Free the room that its file takes; what it was and how it was judged stays on record. Raises ExportNotFound."""
    queries.there(home, job)
    remove_folder(home.exports / job.id)
