"""The verbs of models: have a base model fetched, converted or copied, and register what was made."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models import inspection, queries
from goldsmith.models.errors import ModelNotFound, PathNotAllowed
from goldsmith.models.inspection import ModelFacts, ModelKind
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import BUILTINS
from goldsmith.people.types import Person
from goldsmith.storage.files import Home, is_under
from goldsmith.storage.ids import Prefix, new_id

KIND_FOLDER = "base_model"
KIND_GGUF = "base_model_gguf"


def start_builtin(session: Session, name: str, *, by: Person, home: Home | None = None) -> Job | None:
    """Have a model that comes with Goldsmith fetched and converted; None when it is there already.

    With `home`, its files must be there too: a backup may have left them out. A job that is at work on it is returned
    instead of a second one. Raises ModelNotFound.
    """
    if name not in BUILTINS:
        raise ModelNotFound(f"There is no model {name} that comes with Goldsmith: {', '.join(BUILTINS)}.")
    known = session.scalar(select(BaseModel).where(BaseModel.domain == by.domain, BaseModel.name == name))
    if known is not None and (home is None or queries.folder_of(home, known).exists()):
        return None
    earlier = jobs.newest_of(session, name, KIND_GGUF)
    if earlier is not None and not JobState(earlier.state).is_over:
        return earlier
    new = NewJob(KIND_GGUF, f"Get the model {name}", {"builtin": name, "name": name}, subject_id=name, needs_slot=True)
    return queue.add(session, new, by=by)


def start_path(session: Session, path: Path, *, name: str, roots: tuple[Path, ...], by: Person) -> Job:
    """Import a model folder or a GGUF file from this machine. Raises PathNotAllowed and ModelRefused."""
    if not is_under(path, roots):
        raise PathNotAllowed(f"{path} lies in none of the folders from which models may be imported.")
    real = path.resolve()
    is_gguf = inspection.kind_of(real) is ModelKind.GGUF
    kind = KIND_GGUF if is_gguf else KIND_FOLDER
    new = NewJob(kind, f"Import the model {name}", {"path": str(real), "name": name}, needs_slot=is_gguf)
    return queue.add(session, new, by=by)


def register_base(session: Session, facts: ModelFacts, model: BaseModel) -> BaseModel:
    """Write a base model's row from what was found in its folder; the same content under the same name is one model."""
    known = session.scalar(select(BaseModel).where(BaseModel.domain == model.domain, BaseModel.name == model.name))
    if known is not None and known.content_hash == facts.content_hash:
        return known
    model.id = new_id(Prefix.BASE_MODEL)
    model.content_hash = facts.content_hash
    model.size_bytes = facts.size_bytes
    model.num_parameters = facts.num_parameters
    model.context_length = facts.context_length or 0
    model.template_hash = facts.template_hash or ""
    model.end_marker = facts.end_marker or ""
    model.licence = model.licence or facts.licence
    session.add(model)
    session.flush()
    return model
