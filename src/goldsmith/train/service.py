"""The verbs of training: start, keep. Pausing and resuming are the job's own (`jobs/queue.py`)."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.environments.machine import MachineFacts
from goldsmith.errors import Invalid
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import StopRequest
from goldsmith.models import queries as models
from goldsmith.models.errors import ModelNameNotUsable
from goldsmith.models.rendering import Renderer
from goldsmith.models.service import usable_name
from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.serve import elsewhere
from goldsmith.serve import queries as serve
from goldsmith.serve.tables import Engine
from goldsmith.stars.tables import TrainingSet
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.train import chat_files, dial
from goldsmith.train.backends.base import Backend, Options
from goldsmith.train.dial import Dial
from goldsmith.train.errors import (
    GpuUnknown,
    NothingToKeep,
    NothingToLearn,
    NoTrainingSet,
    OnlyOneKind,
    TrainingNotPossible,
    TrainingSetEmpty,
)
from goldsmith.train.expected import Task
from goldsmith.train.look import check_end_marker, look
from goldsmith.train.queries import REHEARSAL
from goldsmith.train.recipe import TrainRequest, backend_of, for_backend, is_at_provider, read_options
from goldsmith.train.shares import SHARE, num_in_share
from goldsmith.train.tables import DIAL, ENGINES_REST, KIND, PROVIDER, TrainingJob
from goldsmith.train.workshop import Workshop

MOST_LOOKED_AT: Final = 1000
"""Rows that are rendered before a training is queued; of more it is found out when the training is prepared."""


def start(
    session: Session,
    request: TrainRequest,
    *,
    workshop: Workshop,
    by: Person,
    more_params: Mapping[str, Any] = MappingProxyType({}),
) -> TrainingJob:
    """Queue a training. Everything that can be refused without starting a program is refused here."""
    what = check(session, request, workshop=workshop, by=by)
    if request.name:
        request = replace(request, name=_usable_name(session, request.name, by))
    engine = what.engine
    training = _training(request, what, by)
    session.add(training)
    session.flush()
    params = {
        "model_id": new_id(Prefix.FINE_TUNED_MODEL),
        "backend": what.backend.name,
        "is_deployed": request.is_deployed,
        "labels": dict(request.labels),
        ENGINES_REST: request.engines_rest.value,
        **more_params,
        **({SHARE: request.share} if request.share < 1 else {}),
        **({DIAL: {"dial": request.dial.value, "numbers": dict(what.dialled)}} if request.dial is not None else {}),
        **({PROVIDER: engine.id} if engine is not None else {}),
        **(chat_files.begin(session, request.files, by=by) if request.files is not None else {}),
    }
    title = f"Train {training.name}"
    slot = slot_of(request, workshop.machine) if engine is None else None
    new = NewJob(KIND, title, params, training.id, needs_slot=engine is None, id=training.id, wanted_slot=slot)
    queue.add(session, new, by=by)
    return training


def slot_of(request: TrainRequest, machine: MachineFacts) -> str | None:
    """The slot of the GPU that was chosen. Raises GpuUnknown."""
    if request.gpu is None:
        return None
    if not 0 <= request.gpu < len(machine.gpus):
        numbers = ", ".join(str(number) for number in range(len(machine.gpus)))
        there = f"The GPUs of this machine are {numbers}" if len(machine.gpus) > 1 else "It has one, number 0"
        there = there if machine.gpus else "This machine has none"
        raise GpuUnknown(f"There is no GPU {request.gpu}. {there}.")
    return machine.slots[request.gpu]


def rehearse(session: Session, request: TrainRequest, *, workshop: Workshop, by: Person) -> Job:
    """Queue a rehearsal: a few real steps that tell what the training would take. Refuses what `start` refuses."""
    if is_at_provider(backend_of(request.backend, workshop.backends), workshop.machine):
        hint = "Start the training: its cost is said by the provider, and it takes none of this machine."
        raise TrainingNotPossible("What a provider trains cannot be rehearsed here.", hint=hint)
    what = check(session, request, workshop=workshop, by=by)
    training_set = what.training_set or training_set_of(session, request, domain=by.domain)
    job_id = new_id(Prefix.JOB)
    params = {
        "backend": what.backend.name,
        "options": what.options.in_effect(),
        "training_set_id": training_set.id,
        "base_model_id": what.base.id,
        "name": request.name,
        ENGINES_REST: request.engines_rest.value,
    }
    title = f"Rehearse {training_set.name} on {what.base.name}"
    slot = slot_of(request, workshop.machine)
    new = NewJob(REHEARSAL, title[:255], params, job_id, needs_slot=True, id=job_id, wanted_slot=slot)
    return queue.add(session, new, by=by)


@dataclass(frozen=True)
class Learned:
    """What a dial turns on: rows and model; without a base model a provider's learns."""

    training_set: TrainingSet
    base: BaseModel | None
    share: float = 1.0
    """The share of the rows that is learned from."""

    @property
    def num_rows(self) -> int:
        """How many are learned from."""
        return num_in_share(self.training_set.num_learn, self.share)


@dataclass(frozen=True)
class Checked:
    """What a training would be made with; nothing is known to speak against it."""

    backend: Backend
    engine: Engine | None
    """The provider that trains; None where this machine does."""
    base: BaseModel
    options: Options
    training_set: TrainingSet | None
    """None where uploaded files are to become one."""
    dialled: Mapping[str, Any]
    """What the dial resolved to; `options` hold them but for what was given beside it."""
    num_rows: int | None
    """How many are learned from."""

    @property
    def task(self) -> Task:
        """What decides how long it takes."""
        set_id = self.training_set.id if self.training_set is not None else None
        return Task(self.base.id, self.backend.name, set_id, self.options.in_effect(), self.num_rows)


def check(session: Session, request: TrainRequest, *, workshop: Workshop, by: Person) -> Checked:
    """What a training would be made with. Refuses everything that `start` refuses, but for its name."""
    backend = backend_of(request.backend, workshop.backends)
    engine = _provider(session, request, backend, workshop, by)
    base = _base(session, request, engine, by)
    training_set = training_set_of(session, request, domain=by.domain) if request.files is None else None
    given = {name: value for name, value in request.options.items() if value is not None}
    found: Mapping[str, Any] = {}
    if request.dial is not None and training_set is not None:
        learned = Learned(training_set, base, request.share)
        found = dialled(session, request.dial, backend, learned, workshop=workshop)
    options = read_options(backend, {**found, **given})
    for problem in backend.check(options, workshop.machine):
        raise TrainingNotPossible(problem.summary, hint=problem.hint)
    if training_set is not None and training_set.num_learn == 0:
        raise TrainingSetEmpty(f"The training set {training_set.name} has no rows to learn from.")
    if engine is None:
        check_end_marker(Renderer.open(models.folder_of(workshop.home, base)))
    if engine is None and training_set is not None and training_set.num_learn <= MOST_LOOKED_AT:
        _refuse_nothing(session, workshop, backend, options, training_set, base)
    slot_of(request, workshop.machine)
    num_rows = num_in_share(training_set.num_learn, request.share) if training_set is not None else None
    return Checked(backend, engine, base, options, training_set, found, num_rows)


def keep(session: Session, training: TrainingJob) -> None:
    """Have it end now; its best checkpoint becomes the model. Also for one that is paused, cancelled or failed."""
    if PROVIDER in jobs.one(session, training.id).params:
        hint = "Wait for its end, or cancel it. What the provider keeps of earlier steps stands in the log."
        raise NothingToKeep("A provider decides itself when a training ends and what it keeps.", hint=hint)
    if not training.current_step:
        raise NothingToKeep(f"{training.name} has not done a step yet.")
    queue.ask_to_stop(session, jobs.one(session, training.id), StopRequest.KEEP)


def _provider(
    session: Session, request: TrainRequest, backend: Backend, workshop: Workshop, by: Person
) -> Engine | None:
    """The provider that trains; None where this machine does. Raises ProviderNotFound, ProviderGone."""
    if not is_at_provider(backend, workshop.machine):
        return None
    return elsewhere.provider(session, request.base_model, domain=by.domain)


def _base(session: Session, request: TrainRequest, engine: Engine | None, by: Person) -> BaseModel:
    if engine is not None:
        return elsewhere.base_of(session, engine, by=by)
    base = models.base(session, request.base_model, domain=by.domain)
    models.check_is_here(session, base, "learn on this machine")
    return base


def _refuse_nothing(
    session: Session, workshop: Workshop, backend: Backend, options: Options, training_set: TrainingSet, base: BaseModel
) -> None:
    learns = backend.plan(options, workshop.machine).learns
    limit = getattr(options, "max_length", None)
    found = look(session, workshop.home, training_set, base, max_length=limit, learns=learns)
    if not found.learned:
        raise NothingToLearn(found.sentence)
    if found.one_sided:
        raise OnlyOneKind(found.one_sided)


def dialled(
    session: Session, chosen: Dial, backend: Backend, learned: Learned, *, workshop: Workshop
) -> dict[str, Any]:
    """The dial's numbers that this backend knows, for these rows and this model."""
    seen, base, training_set = None, learned.base, learned.training_set
    if base is not None and not is_at_provider(backend, workshop.machine) and training_set.num_learn <= MOST_LOOKED_AT:
        with suppress(Invalid):  # where nothing can be learned the look itself says why
            seen = look(session, workshop.home, training_set, base, max_length=None)
    num_parameters = base.num_parameters if base is not None else None
    found = dial.resolve(chosen, num_rows=learned.num_rows, num_parameters=num_parameters, look=seen)
    return for_backend(backend, found)


def _usable_name(session: Session, name: str, by: Person) -> str:
    """What the new model may be called: callers use it in the place of an id. Raises ModelNameNotUsable."""
    name = usable_name(name)
    for base in models.bases(session, domain=by.domain):
        if name.lower() in (base.id.lower(), base.name.lower(), (base.hub_id or "").lower()):
            raise ModelNameNotUsable(f"A base model is called {name} already.", hint="Give the new model another name.")
    if name in {alias.name for alias in serve.aliases(session, domain=by.domain)}:
        raise ModelNameNotUsable(f"{name} is a stable name of callers.", hint="Give the new model another name.")
    return name


def _made_up_name(learned: str, base_name: str) -> str:
    """After what it learned, as a name that callers can use: a base model from a hub has a slash in its own."""
    name = f"{learned} on {base_name.rpartition('/')[2]}".replace("/", "-")
    return "".join(sign for sign in name if sign.isprintable())[:255].strip()


def training_set_of(session: Session, request: TrainRequest, *, domain: str) -> TrainingSet:
    """The training set that is named, or the newest. Raises NoTrainingSet."""
    query = select(TrainingSet).where(TrainingSet.domain == domain).order_by(TrainingSet.id.desc()).limit(1)
    if request.training_set is not None:
        query = query.where((TrainingSet.id == request.training_set) | (TrainingSet.name == request.training_set))
    found = session.scalar(query)
    if found is None:
        which = f" {request.training_set}" if request.training_set else ""
        raise NoTrainingSet(f"There is no training set{which} in {domain}.")
    return found


def _training(request: TrainRequest, what: Checked, by: Person) -> TrainingJob:
    now, base, training_set = clock.now(), what.base, what.training_set
    source = request.files.learn.upload.filename if request.files is not None else ""
    learned = training_set.name if training_set is not None else source
    return TrainingJob(
        id=new_id(Prefix.JOB),
        philosopher=by.name,
        domain=by.domain,
        name=request.name or _made_up_name(learned, base.name),
        base_model=base.hub_id or base.name,
        base_model_id=base.id,
        backend=what.backend.name,
        config=what.options.in_effect(),
        training_set_id=training_set.id if training_set is not None else None,
        dataset_path=f"{training_set.folder}/learn.jsonl" if training_set is not None else None,
        sample_count=what.num_rows,
        total_epochs=getattr(what.options, "num_epochs", None),
        status="queued",
        created_by=by.id,
        created_at=now,
        updated_at=now,
    )
