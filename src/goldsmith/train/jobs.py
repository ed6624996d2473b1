"""The training job: prepare its folder (worker), train (heavy child), register the model (worker)."""

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import program
from goldsmith.jobs.costs import Rates
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobView, Launch, Stage
from goldsmith.models import queries as models
from goldsmith.models.tables import FineTunedModel
from goldsmith.serve import elsewhere
from goldsmith.serve import service as serve
from goldsmith.stars.jobs import author_of
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.stars.types import BAD
from goldsmith.storage import clock
from goldsmith.storage.files import Home, folder_size_bytes, remove_folder, sync_folder
from goldsmith.train import chat_files, memory, preparation, repeating, sending
from goldsmith.train.backends.base import Backend, Plan
from goldsmith.train.preparation import Preparation
from goldsmith.train.recipe import backend_of, read_options
from goldsmith.train.shares import SHARE
from goldsmith.train.tables import KIND, PROVIDER, TrainingJob, TrainingMetric
from goldsmith.wire import manifest
from goldsmith.wire.events import Event, EventKind


class TrainingKind:
    """A training, with any backend."""

    name: ClassVar[str] = KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("prepare"), Stage("train", is_heavy=True), Stage("register"))

    def __init__(
        self,
        *,
        backends: Mapping[str, Backend],
        machine: MachineFacts,
        python_of: Callable[[EnvironmentName | None], Path],
        parent_env: Mapping[str, str],
        rates: Rates = Rates(),
    ) -> None:
        self._rates = rates
        self._backends = backends
        self._machine = machine
        self._python_of = python_of
        self._parent_env = parent_env

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Prepare before the training, register after it."""
        return self._prepare(context) if stage == "prepare" else _register(context, self._rates)

    def launch(self, job: JobView, folder: JobFolder) -> Launch:
        """The backend's program. Raises EnvironmentMissing."""
        order = json.loads(folder.order.read_text(encoding="utf-8"))
        backend = backend_of(job.params["backend"], self._backends)
        plan = backend.plan(read_options(backend, {}), self._machine)
        arguments = ("--order", "../job.json", "--attempt", str(job.attempt))
        argv = program.command(self._python_of(plan.environment), order["program"], arguments)
        return sending.with_key(program.launch(folder, argv, self._parent_env, slot=job.slot), folder, job)

    def on_event(self, session: Session, job: Job, event: Event) -> None:
        """Steps and exam losses become points of the series and the training's present figures."""
        training = session.get_one(TrainingJob, job.id)
        if event.kind is EventKind.STEP:
            _apply_step(session, training, job.attempt, event)
        elif event.kind is EventKind.EVALUATED:
            training.validation_loss = event.data.get("exam_loss")
            point = _point(session, training.id, int(event.data.get("step", 0)), job.attempt, event)
            point.exam_loss = training.validation_loss
        elif event.kind in (EventKind.PHASE, EventKind.LOG):
            job.message = str(event.data.get("text", ""))[:1000]

    def mirror(self, session: Session, job: Job) -> None:
        """Keep what the job owns in the training's own row."""
        training = session.get(TrainingJob, job.id)
        if training is None:
            return
        training.status = job.state
        training.progress = job.progress
        training.started_at = job.started_at
        training.completed_at = job.finished_at
        training.error_message = (job.failure or {}).get("summary")
        training.logs_path = f"jobs/{job.id}/attempts/{job.attempt}/log"
        training.updated_at = clock.now()

    def _prepare(self, context: WorkContext) -> Mapping[str, Any]:
        job = context.job
        backend = backend_of(job.params["backend"], self._backends)
        with context.database.reading() as session:
            training = session.get_one(TrainingJob, job.id)
            base = models.base(session, training.base_model_id, domain=job.domain)
        plan = backend.plan(read_options(backend, training.config), self._machine)
        self._python_of(plan.environment)  # a missing environment is said before the rows are rendered
        training_set = _training_set(context)
        if training_set is None:
            return {}
        plan = _addressed(context, plan)
        context.report(None, "rendering the rows for the base model" if not plan.at_provider else "writing the rows")
        what = Preparation(
            job_id=training.id,
            name=training.name,
            training_set_id=training_set.id,
            model_id=job.params["model_id"],
            base=base,
            base_folder=models.folder_of(context.home, base),
            set_folder=context.home.root / training_set.folder,
            plan=plan,
            device=self._machine.device,
            num_threads=self._machine.num_cores,
            share=float(job.params.get(SHARE, 1.0)),
        )
        fill = sending.prepare if plan.at_provider else preparation.prepare
        problems = fill(context.database, what, context.folder)
        if repeating.AGAIN_OF in job.params:
            repeating.check_same(context.home, job.params[repeating.AGAIN_OF], context.folder)
        if not plan.at_provider:
            memory.take(context, self._machine)
        left_out = [{"row_id": one.row_id, "kind": one.kind, "reason": one.reason} for one in problems]
        return {"num_left_out": len(left_out), "left_out": left_out[:200]} if left_out else {}


def _addressed(context: WorkContext, plan: Plan) -> Plan:
    """The plan, of a training at a provider with where it goes."""
    if not plan.at_provider:
        return plan
    with context.transaction() as session:
        return sending.addressed(plan, sending.provider_now(session, context.job.id))


def _training_set(context: WorkContext) -> TrainingSet | None:
    """The training's set, made from its files when there is none yet; None when asked to stop meanwhile."""
    with context.database.reading() as session:
        training = session.get_one(TrainingJob, context.job.id)
        if training.training_set_id is not None:
            return session.get_one(TrainingSet, training.training_set_id)
    return chat_files.make_set(context)


def _apply_step(session: Session, training: TrainingJob, attempt: int, event: Event) -> None:
    data = event.data
    training.current_step = data.get("step")
    training.total_steps = data.get("total_steps")
    training.current_epoch = data.get("epoch")
    training.training_loss = data.get("loss")
    training.learning_rate = data.get("learning_rate")
    training.tokens_per_second = data.get("tokens_per_s")
    training.memory_mb = data.get("memory_mb")
    training.seconds_left = data.get("seconds_left")
    if training.seconds_left is not None:
        training.estimated_completion = clock.now() + timedelta(seconds=training.seconds_left)
    training.updated_at = clock.now()
    point = _point(session, training.id, int(data["step"]), attempt, event)
    point.epoch = data.get("epoch")
    point.loss = data.get("loss")
    point.learning_rate = data.get("learning_rate")
    point.grad_norm = data.get("grad_norm")
    point.preference_accuracy = data.get("preference_accuracy")
    point.tokens_per_second = data.get("tokens_per_s")
    point.memory_mb = data.get("memory_mb")


def _point(session: Session, job_id: str, step: int, attempt: int, event: Event) -> TrainingMetric:
    found = session.scalar(select(TrainingMetric).where(TrainingMetric.job_id == job_id, TrainingMetric.step == step))
    point = found or TrainingMetric(job_id=job_id, step=step)
    point.attempt = attempt
    point.at = clock.from_timestamp(event.at)
    session.add(point)
    return point


def _register(context: WorkContext, rates: Rates) -> Mapping[str, Any]:
    body = manifest.read_whole(context.folder.result)
    if body is None or body.get("model_id") != context.job.params["model_id"]:
        raise JobFailed(
            "The result of the training is not whole: a file is missing or differs from its manifest.",
            hint="Resume the training; it goes on from its last checkpoint.",
            kind="result_not_whole",
        )
    model_id = str(body["model_id"])
    folder, is_away = _keep(context, model_id), PROVIDER in context.job.params
    with context.transaction() as session:
        if session.get(FineTunedModel, model_id) is None:
            model = _model(session, context, model_id, body, folder)
            session.add(model)
            session.flush()
            if is_away:
                elsewhere.put(session, model, _known(folder)["model"], by=author_of(session, context))
            elif context.job.params.get("is_deployed"):
                serve.deploy(session, model_id, by=author_of(session, context), may_displace=False)
        training = session.get_one(TrainingJob, context.job.id)
        training.output_model_id = model_id
        training.completed_at = clock.now()
    cost = {} if is_away else rates.of(float(body["figures"]["duration_s"])).to_result()
    return {"model_id": model_id, **cost}  # what a provider asks for it is known to the provider alone


def _keep(context: WorkContext, model_id: str) -> Path:
    """Copy the result to the models' folder, with the messages of the probe's rows, so that any load can be proved."""
    target = context.home.models / "tuned" / model_id
    if target.exists():
        return target
    partial = target.with_name(f".{model_id}.partial")
    remove_folder(partial)
    shutil.copytree(context.folder.result, partial)
    body = manifest.read_whole(partial) or {}
    if (partial / "probe.jsonl").exists():
        _add_messages(context, partial / "probe.jsonl")
    order = json.loads(context.folder.order.read_text(encoding="utf-8"))
    more = {"template_hash": order["template_hash"], "base_model_hash": order["base_model_hash"]}
    manifest.write(partial, **{key: value for key, value in body.items() if key != "files"}, **more)
    partial.rename(target)
    sync_folder(target.parent)
    return target


def _known(folder: Path) -> dict[str, Any]:
    """What a provider's model is called there, and by which job it was made; empty for a model whose files are here."""
    path = folder / "model.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _add_messages(context: WorkContext, probe: Path) -> None:
    with context.database.reading() as session:
        training = session.get_one(TrainingJob, context.job.id)
        query = select(TrainingSetRow.row_id, TrainingSetRow.messages)
        query = query.where(TrainingSetRow.training_set_id == training.training_set_id, TrainingSetRow.side != BAD)
        messages = {row.row_id: row.messages for row in session.execute(query)}
    lines = [json.loads(line) for line in probe.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["messages"] = messages.get(line["row_id"], [])[:-1]
    probe.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def _model(
    session: Session, context: WorkContext, model_id: str, body: Mapping[str, Any], folder: Path
) -> FineTunedModel:
    training = session.get_one(TrainingJob, context.job.id)
    training_set = session.get_one(TrainingSet, training.training_set_id)
    order = json.loads(context.folder.order.read_text(encoding="utf-8"))
    figures, now, home = body.get("figures", {}), clock.now(), Home(context.home.root)
    by_training = {"by": context.job.id, "at": now.isoformat()}
    peak_mb = figures.get("peak_memory_mb")
    known = _known(folder)
    measured = {
        "model_size_mb": round(folder_size_bytes(folder) / 1e6, 3) if not known else None,
        "training_tokens_per_second": figures.get("tokens_per_s"),
        "training_memory_mb": peak_mb,
        "final_loss": figures.get("final_loss"),
        "exam_loss": figures.get("exam_loss"),
        "vram_usage_gb": round(peak_mb / 1000, 3) if peak_mb and order["device"] != "cpu" else None,
    }
    return FineTunedModel(
        id=model_id,
        name=training.name,
        base_model=training.base_model,
        base_model_id=training.base_model_id,
        version=1,
        philosopher=training.philosopher,
        domain=training.domain,
        training_job_id=training.id,
        training_set_id=training_set.id,
        prompt_version_id=training_set.prompt_version_id,
        training_dataset_path=training.dataset_path,
        training_sample_count=order["learn"]["num_rows"],
        training_config={**order["settings"], **({"provider_model": known["model"]} if known else {})},
        model_path=str(folder.relative_to(home.root)),
        content_hash=body["files"]["model.json" if known else "adapter_model.safetensors"]["sha256"],
        template_hash=order["template_hash"],
        lora_rank=order["settings"].get("lora_rank"),
        **measured,
        measured_at={name: by_training for name, value in measured.items() if value is not None},
        created_by=context.job.created_by,
        created_at=now,
        updated_at=now,
    )
