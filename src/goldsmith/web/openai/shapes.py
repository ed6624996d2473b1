"""Our trainings in OpenAI's shapes: which of its states, events and figures stand for ours. Pure.

OpenAI has no word for a paused job. Ours is told as `queued`, because it is neither at work nor over, and a caller who
waits for its end goes on waiting; the exact state stands in the job's metadata as `goldsmith_state`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from goldsmith.data.parts import status_of
from goldsmith.data.tables import PartialUpload, StoredFile, UploadPart
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.wire.events import EventKind

STATUS: Final[Mapping[JobState, str]] = {
    JobState.QUEUED: "queued",
    JobState.STARTING: "running",
    JobState.RUNNING: "running",
    JobState.PAUSED: "queued",
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}
MAX_METADATA_CHARACTERS: Final = 512


VALIDATING: Final = "validating_files"
_FILES: Final = ("training_file", "validation_file")


def job(training: TrainingJob, found: Job) -> dict[str, Any]:
    """A training as OpenAI's fine-tuning job. What was not measured is null."""
    state = JobState(found.state)
    config = training.config
    parameters = {"n_epochs": config.get("num_epochs"), "batch_size": config.get("batch_size")}
    hyperparameters = {**parameters, "learning_rate_multiplier": None}
    labels: dict[str, str] = found.params.get("labels", {})
    metadata = {
        **labels,
        "goldsmith_state": state.value,
        "goldsmith_progress": f"{found.progress:.3f}",
        "name": training.name,
        "backend": training.backend,
        **({"training_set": training.training_set_id} if training.training_set_id is not None else {}),
    }
    is_over = state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
    return {
        "object": "fine_tuning.job",
        "id": training.id,
        "model": training.base_model,
        "created_at": seconds(training.created_at),
        "finished_at": seconds(found.finished_at) if is_over else None,
        "estimated_finish": seconds(training.estimated_completion) if state.is_active else None,
        "fine_tuned_model": training.output_model_id if state is JobState.SUCCEEDED else None,
        "organization_id": training.domain,
        "status": status(training, state),
        "training_file": _file(found, "training_file") or training.training_set_id,
        "validation_file": _file(found, "validation_file"),
        "result_files": [],
        "trained_tokens": None,
        "seed": config.get("seed") or 0,
        "error": _error(found) if state is JobState.FAILED else None,
        "hyperparameters": hyperparameters,
        "method": _method(config, parameters),
        "integrations": [],
        "metadata": {name: value[:MAX_METADATA_CHARACTERS] for name, value in metadata.items()},
    }


def _method(config: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    method = config.get("method", "sft")
    if method == "sft":
        return {"type": "supervised", "supervised": {"hyperparameters": _known(parameters)}}
    return {"type": method, method: {"hyperparameters": _known({**parameters, "beta": config.get("beta")})}}


def status(training: TrainingJob, state: JobState) -> str:
    """OpenAI's word for where a training stands; until its files are read and good, they are being validated."""
    if training.training_set_id is None and STATUS[state] in ("queued", "running") and state is not JobState.PAUSED:
        return VALIDATING
    return STATUS[state]


def event(found: JobEvent) -> dict[str, Any]:
    """Something that happened, as OpenAI's event."""
    is_metrics = found.kind in (EventKind.STEP, EventKind.EVALUATED)
    is_failure = found.kind == EventKind.FAILED
    level = str(found.data.get("level", "info")).lower()
    known = {"warning": "warn", "warn": "warn", "error": "error"}
    return {
        "object": "fine_tuning.job.event",
        "id": f"ftevent-{found.id}",
        "created_at": seconds(found.at),
        "level": "error" if is_failure else known.get(level, "info"),
        "message": sentence(found),
        "type": "metrics" if is_metrics else "message",
        "data": _metrics(found.data) if is_metrics else {"attempt": found.attempt, "kind": found.kind},
    }


def event_number(event_id: str) -> int | None:
    """The number in an event's id."""
    digits = event_id.removeprefix("ftevent-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def sentence(found: JobEvent) -> str:
    """An event in words."""
    data = found.data
    if found.kind == EventKind.STEP:
        loss = data.get("loss")
        told = f", training loss={loss:.4f}" if isinstance(loss, int | float) else ""
        return f"Step {data.get('step')}/{data.get('total_steps')}{told}"
    if found.kind == EventKind.EVALUATED:
        return f"Exam loss after step {data.get('step')}: {data.get('exam_loss')}"
    if found.kind == EventKind.SAVED:
        return f"Checkpoint saved after step {data.get('step')}"
    for name in ("because", "text", "summary"):
        if data.get(name):
            return str(data[name])
    return found.kind.capitalize()


def checkpoint(saved: JobEvent, points: Mapping[int, TrainingMetric]) -> dict[str, Any]:
    """A checkpoint from which the training can go on; it is no model that could be asked."""
    step = int(saved.data.get("step") or 0)
    point = points.get(step)
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": f"ftckpt-{saved.id}",
        "created_at": seconds(saved.at),
        "fine_tuned_model_checkpoint": f"{saved.job_id}:step-{step}",
        "fine_tuning_job_id": saved.job_id,
        "step_number": step,
        "metrics": {
            "step": step,
            "train_loss": point.loss if point else None,
            "full_valid_loss": point.exam_loss if point else None,
        },
    }


def file(stored: StoredFile) -> dict[str, Any]:
    """An uploaded file as OpenAI's object."""
    return {
        "object": "file",
        "id": stored.id,
        "bytes": stored.size_bytes,
        "created_at": seconds(stored.created_at),
        "filename": stored.filename,
        "purpose": stored.purpose,
        "status": "processed",
        "expires_at": seconds(stored.expires_at),
        "status_details": None,
    }


def upload(found: PartialUpload, stored: StoredFile | None) -> dict[str, Any]:
    """A file that comes in parts, as OpenAI's object; `stored` once it is whole."""
    return {
        "id": found.id,
        "object": "upload",
        "bytes": found.size_bytes,
        "created_at": seconds(found.created_at),
        "filename": found.filename,
        "purpose": found.purpose,
        "status": status_of(found).value,
        "expires_at": seconds(found.expires_at),
        "file": file(stored) if stored is not None else None,
    }


def part(found: UploadPart) -> dict[str, Any]:
    """One of its parts."""
    return {
        "id": found.id,
        "object": "upload.part",
        "created_at": seconds(found.created_at),
        "upload_id": found.upload_id,
    }


def page(data: Sequence[Mapping[str, Any]], *, limit: int) -> dict[str, Any]:
    """A list of which at most `limit` are shown; one more was asked for, to know whether there are more."""
    shown = list(data[:limit])
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return {"object": "list", "data": shown, "has_more": len(data) > limit, **ends}


def seconds(at: datetime | None) -> int | None:
    """A moment as OpenAI writes it."""
    return int(at.timestamp()) if at is not None else None


def _error(found: Job) -> dict[str, Any]:
    failure = found.failure or {}
    words = f"{failure.get('summary', found.because)} {failure.get('hint', '')}".strip()
    code = str(failure.get("kind", "failed"))
    param = code.removeprefix("invalid_")
    return {"code": code, "message": words, "param": param if param in _FILES else None}


def _file(found: Job, param: str) -> str | None:
    """The uploaded file that the caller named."""
    named = found.params.get(param)
    return str(named["id"]) if named else None


def _metrics(data: Mapping[str, Any]) -> dict[str, Any]:
    names = {"step": "step", "total_steps": "total_steps", "loss": "train_loss", "exam_loss": "full_valid_loss"}
    return {theirs: data[ours] for ours, theirs in names.items() if data.get(ours) is not None}


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
