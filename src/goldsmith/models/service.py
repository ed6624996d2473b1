"""The verbs of models: have a base model fetched, converted or copied, and register what was made.

Only rows are written here; the jobs that they ask for do the work (`jobs.py`).
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.models import inspection, queries
from goldsmith.models.errors import (
    HubModelNotFound,
    ModelNameNotUsable,
    ModelNameTaken,
    ModelNotFound,
    ModelRefused,
    PathNotAllowed,
)
from goldsmith.models.inspection import ModelFacts, ModelKind
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import BUILTINS, HUB_ID, RESERVED_NAMES, FromHub
from goldsmith.people.types import Person
from goldsmith.storage.files import Home, is_under
from goldsmith.storage.ids import Prefix, new_id

KIND_FOLDER = "base_model"
KIND_GGUF = "base_model_gguf"
KIND_HUB = "base_model_hub"
KINDS = (KIND_FOLDER, KIND_GGUF, KIND_HUB)
"""Every kind of job that brings a base model."""
LOOKED_AT_ANEW = frozenset({ModelRefused.slug(), HubModelNotFound.slug()})
"""Failures of a job that are about what the hub has: the hub may have mended it, so the next job begins anew."""
UNFINISHED = frozenset({JobState.FAILED.value, JobState.PAUSED.value, JobState.CANCELLED.value})
REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,199}", re.ASCII)


def start_builtin(session: Session, name: str, *, by: Person, home: Home | None = None) -> Job | None:
    """Have a model that comes with Goldsmith fetched and converted; None when it is there already.

    With `home`, its files must be there too: a backup may have left them out. A job that is at work on it is returned
    instead of a second one. Raises ModelNotFound.
    """
    if name not in BUILTINS:
        raise ModelNotFound(
            f"There is no model {name} that comes with Goldsmith: {', '.join(BUILTINS)}.",
            hint="A model on a hub is named ORG/NAME, as in the address of its page.",
        )
    known = queries.base_called(session, name, domain=by.domain)
    if known is not None and (home is None or queries.folder_of(home, known).exists()):
        return None
    earlier = jobs.newest_of(session, name, KIND_GGUF)
    if earlier is not None and not JobState(earlier.state).is_over:
        return earlier
    new = NewJob(KIND_GGUF, f"Get the model {name}", {"builtin": name, "name": name}, subject_id=name, needs_slot=True)
    return queue.add(session, new, by=by)


def start_path(session: Session, path: Path, *, name: str, roots: tuple[Path, ...], by: Person) -> Job:
    """Import a model folder or a GGUF file from this machine. Raises PathNotAllowed and ModelRefused."""
    name = usable_name(name)
    if not is_under(path, roots):
        raise PathNotAllowed(f"{path} lies in none of the folders from which models may be imported.")
    real = path.resolve()
    is_gguf = inspection.kind_of(real) is ModelKind.GGUF
    kind = KIND_GGUF if is_gguf else KIND_FOLDER
    new = NewJob(kind, f"Import the model {name}", {"path": str(real), "name": name}, needs_slot=is_gguf)
    return queue.add(session, new, by=by)


def start_hub(session: Session, wanted: FromHub, *, by: Person, home: Home | None = None) -> Job | None:
    """Have a model brought from the hub; None when it is there already.

    A job that is at work on it is returned, and one that ended in the middle goes on with what it has fetched.
    Without a name of its own it is called by its hub id. With `home`, its files must be there too. Raises
    ModelNameNotUsable and ModelNameTaken.
    """
    hub_id = hub_id_of(wanted.hub_id)
    if wanted.revision is not None and (not REVISION.fullmatch(wanted.revision) or ".." in wanted.revision):
        raise ModelNameNotUsable(f"{wanted.revision[:80]!r} is no revision.", hint="Give a commit, a branch or a tag.")
    name = usable_name(wanted.name) if wanted.name else hub_id
    same = queries.from_hub(session, hub_id, domain=by.domain)
    known = next((one for one in same if one.name == name or not wanted.name), None)
    revision = wanted.revision
    if known is not None and revision in (None, known.hub_commit):
        if home is None or queries.folder_of(home, known).exists():
            return None
        name, revision = known.name, known.hub_commit
    elif known is not None or queries.base_called(session, name, domain=by.domain) is not None:
        raise ModelNameTaken(f"There is a model called {known.name if known else name} already, with other content.")
    params = {"hub_id": hub_id, "revision": revision, "name": name}
    earlier = _earlier_job(session, params, domain=by.domain)
    if earlier is not None:
        return earlier
    return queue.add(session, NewJob(KIND_HUB, f"Get the model {name}", params, subject_id=name[:64]), by=by)


def _earlier_job(session: Session, params: dict[str, str | None], *, domain: str) -> Job | None:
    """The newest job for this model: one that is at work, or one that goes on now with what it has fetched."""
    wanted = {key: (value or "").lower() for key, value in params.items()}
    for job in jobs.page(session, domain=domain, kind=KIND_HUB):
        if {key: (value or "").lower() for key, value in job.params.items()} != wanted:
            continue
        if not JobState(job.state).is_over:
            return job
        if job.state in UNFINISHED and (job.failure or {}).get("kind") not in LOOKED_AT_ANEW:
            queue.again(session, job, "asked for again")
            return job
        return None
    return None


def hub_id_of(text: str) -> str:
    """`ORG/NAME`, also from the address of the model's page. Raises ModelNameNotUsable."""
    address = urlsplit(text.strip())
    path = address.path.strip("/") if address.scheme in ("http", "https") else text.strip()
    hub_id = "/".join(path.split("/")[:2]) if address.scheme else path
    if not HUB_ID.fullmatch(hub_id) or ".." in hub_id or "--" in hub_id:
        hint = "A hub id stands in the address of the model's page and has the form ORG/NAME."
        raise ModelNameNotUsable(f"{text[:120]!r} is no id of a model on a hub.", hint=hint)
    return hub_id


def usable_name(name: str) -> str:
    """The name of an imported model, as it will be kept. Raises ModelNameNotUsable.

    A name with a slash would be taken for a hub id, one like `bm_…` for an id; some words mean something to callers.
    """
    name = name.strip()
    is_like_an_id = name.lower().startswith((f"{Prefix.BASE_MODEL}_", f"{Prefix.FINE_TUNED_MODEL}_"))
    if not name or len(name) > 255 or not name.isprintable() or "/" in name or is_like_an_id or name in RESERVED_NAMES:
        raise ModelNameNotUsable(f"A model cannot be called {name[:80]!r}.")
    return name


def register_base(session: Session, facts: ModelFacts, model: BaseModel) -> BaseModel:
    """Write a base model's row from what was found in its folder; the same content under the same name is one model.

    Raises ModelNameTaken.
    """
    known = queries.base_called(session, model.name, domain=model.domain)
    if known is not None and known.content_hash == facts.content_hash:
        return known
    if known is not None:
        raise ModelNameTaken(f"There is a model called {model.name} already, with other content.")
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
