"""The rehearsal as a job: the training's own program on a few of its rows, then what follows from it.

Prepared as the training would be, in a folder of its own; nothing that it makes is kept but its figures.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.errors import GoldsmithError
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.costs import KEY
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.tables import Job
from goldsmith.models import queries as models
from goldsmith.serve import engine as processes
from goldsmith.serve import queries as serve
from goldsmith.serve.engine import EngineFiles
from goldsmith.serve.engine_client import call
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import EngineKind, EngineState
from goldsmith.stars import queries as stars
from goldsmith.storage import clock
from goldsmith.storage.files import folder_size_bytes, remove_folder, sha256_of, write_whole
from goldsmith.train import memory, preparation, rehearsal
from goldsmith.train.jobs import TrainingKind
from goldsmith.train.preparation import Preparation
from goldsmith.train.queries import REHEARSAL
from goldsmith.train.recipe import backend_of, read_options
from goldsmith.train.rehearsal import OVERRIDES, Forecast, Weights, Whole
from goldsmith.wire import events, order, rows
from goldsmith.wire.events import Event, EventKind
from goldsmith.wire.order import DataFile, Order
from goldsmith.wire.rows import Row

WHOLE = "whole.json"
"""Beside the order: how large the training is that is rehearsed."""
_DONE = "rehearsed"
"""How the names of files begin that hold the chosen rows."""


class RehearsalKind(TrainingKind):
    """A few steps of a training, with any backend. Its program and its stages are those of the training."""

    name: ClassVar[str] = REHEARSAL

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Choose the rows before the steps, and conclude after them."""
        return self._rehearse(context) if stage == "prepare" else self._conclude(context)

    def on_event(self, session: Session, job: Job, event: Event) -> None:
        """What it is doing is all that is kept while it runs."""
        del session
        if event.kind is EventKind.STEP:
            job.message = f"step {event.data['step']} of {event.data['total_steps']}"
        elif event.kind in (EventKind.PHASE, EventKind.LOG):
            job.message = str(event.data.get("text", ""))[:1000]

    def mirror(self, session: Session, job: Job) -> None:
        """Nothing else keeps its state."""

    def _rehearse(self, context: WorkContext) -> Mapping[str, Any]:
        job = context.job
        backend = backend_of(job.params["backend"], self._backends)
        with context.database.reading() as session:
            training_set = stars.training_set(session, job.params["training_set_id"], domain=job.domain)
            base = models.base(session, job.params["base_model_id"], domain=job.domain)
        plan = backend.plan(read_options(backend, job.params["options"]), self._machine)
        self._python_of(plan.environment)  # a missing environment is said before the rows are rendered
        context.report(None, "rendering the rows for the base model")
        what = Preparation(
            job_id=job.id,
            name=training_set.name,
            training_set_id=training_set.id,
            model_id=f"rehearsal-{job.id}",
            base=base,
            base_folder=models.folder_of(context.home, base),
            set_folder=context.home.root / training_set.folder,
            plan=plan,
            device=self._machine.device,
            num_threads=self._machine.num_cores,
        )
        preparation.prepare(context.database, what, context.folder)
        shorten(context.folder)
        memory.take(context, self._machine)
        return {}

    def _conclude(self, context: WorkContext) -> Mapping[str, Any]:
        folder = context.folder
        told = events.read(folder.events(context.job.attempt))
        asked = order.read(folder.order)
        whole = Whole(**json.loads((folder.root / WHOLE).read_text(encoding="utf-8")))
        num_exam_tokens = asked.exam.num_tokens if asked.exam else 0
        beside_s = _seconds_beside(context, told)
        found = rehearsal.forecast(told, whole, num_exam_tokens, _weights(folder), beside_s=beside_s)
        for engine_id in memory.give_back(context):
            memory.wait_until_back(context, engine_id)
        engine = _try_engine(context)
        for left_over in (folder.checkpoints, folder.result, folder.data, folder.program):
            remove_folder(left_over)
        cost = self._rates.of(found.duration_s)
        return {"forecast": found.to_dict(), "engine": engine, KEY: cost.to_result()[KEY], "is_foretold": True}


def forecast_of(result: Mapping[str, Any] | None) -> Forecast | None:
    """What a rehearsal's result says, once it has one."""
    found = (result or {}).get("forecast")
    return Forecast(**found) if found else None


def shorten(folder: JobFolder) -> None:
    """Have the order name a few chosen rows in the place of all; done once, whatever dies in between."""
    asked = order.read(folder.order)
    if Path(asked.learn.path).name.startswith(_DONE):
        return
    learn = rows.read(folder.root, asked.learn)
    exam = rows.read(folder.root, asked.exam) if asked.exam else []
    whole = rehearsal.whole_of(learn, exam, asked.settings)
    write_whole(folder.root / WHOLE, json.dumps(whole.to_dict()))
    few, few_exam = rehearsal.chosen(learn, exam, asked.settings)
    known = {name: value for name, value in OVERRIDES.items() if name in asked.settings}
    short = {
        **vars(asked),
        "learn": _written(folder, "learn", few),
        "exam": _written(folder, "exam", few_exam) if few_exam else None,
        "settings": {**asked.settings, **known},
    }
    write_whole(folder.order, Order(**short).to_json())


def _written(folder: JobFolder, side: str, some: list[Row]) -> DataFile:
    path = folder.data / f"{_DONE}-{side}.jsonl"
    write_whole(path, "".join(row.to_line() for row in some))
    return DataFile(
        path=str(path.relative_to(folder.root)),
        sha256=sha256_of(path),
        num_rows=len(some),
        num_tokens=sum(len(row.input_ids) for row in some),
        num_learned_tokens=sum(row.num_learned for row in some),
    )


def _seconds_beside(context: WorkContext, told: Sequence[Event]) -> float:
    """From the job's start to its program's, and from the program's end to here. Later attempts: the latter."""
    with context.database.reading() as session:
        job = jobs.one(session, context.job.id)
        began = job.started_at.timestamp() if job.started_at is not None and job.attempt == 1 else told[0].at
    return max(0.0, told[0].at - began) + max(0.0, clock.now().timestamp() - told[-1].at)


def _weights(folder: JobFolder) -> Weights:
    saved = [folder_size_bytes(path) for path in folder.checkpoints.glob("step-*")]
    return Weights(max(saved, default=0), folder_size_bytes(folder.result))


def _try_engine(context: WorkContext) -> dict[str, Any]:
    """Load the rehearsed adapter into the engine of its base model, where one runs, and take it out again."""
    with context.database.reading() as session:
        engine = serve.engine_for(session, context.job.params["base_model_id"])
    if engine is None or engine.state != EngineState.READY.value or not _has_place(context, engine):
        return {"is_tried": False}
    key = processes.read_key(context.home, engine.id)
    name = f"rehearsal-{context.job.id}-{context.job.attempt}"
    url = engine.url or ""
    try:
        load_s = call(url, key, lambda client: client.load_adapter(name, context.folder.result))
    except GoldsmithError as error:
        return {"is_tried": True, "is_accepted": False, "because": error.message}
    finally:
        with suppress(GoldsmithError):
            call(url, key, lambda client: client.unload_adapter(name))
    return {"is_tried": True, "is_accepted": True, "load_s": round(load_s, 3)}


def _has_place(context: WorkContext, engine: Engine) -> bool:
    """Whether an adapter may be tried there. On a CPU a load takes a place for good: it is counted, as every other."""
    if engine.kind != EngineKind.OURS.value:
        return True
    files = EngineFiles.of(context.home, engine.id)
    # The rule for a CPU holds here for every engine: what is only tried may be left out.
    if not processes.has_room(files, max_loras=engine.max_loras, device="cpu"):
        return False
    processes.note_load(files, f"rehearsal-{context.job.id}")
    return True
