"""One job at a provider for one training here: what was begun, and how it is found again before another is begun.

What was begun stands in `provider.json` of the job folder, on disk before anything that depends on it is asked. A crash
between pays nothing twice and loses nothing: the list there is searched before a job is asked for.
"""

import fcntl
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from goldsmith.trainers._provider import Provider, Refused, Unclear, Upload, pause_s
from goldsmith.trainers._refusals import failure_of
from goldsmith.trainers._report import Failure, Job
from goldsmith.wire import manifest

JOBS = "/fine_tuning/jobs"
NOT_THERE = (404, 405, 501)
"""What a provider answers that does not have this part of the API."""
ALONE_WITHIN_S = 60.0
NUM_LOST_ANSWERS = 5
"""So many beginnings in a row may stay without an answer."""


@dataclass
class State:
    """What is known of the job at the provider; on disk before anything that depends on it is asked."""

    files: dict[str, str] = field(default_factory=dict)
    """`learn` and `exam` → the id of the file there."""
    is_begun: bool = False
    """A job was asked for, so there may be one."""
    job: str | None = None
    is_paused: bool = False
    is_over: bool = False
    """Nothing goes on there, and nothing costs any more."""
    last_event: str | None = None
    step: int = 0
    losses: list[float] = field(default_factory=list)
    exam_loss: float | None = None

    @classmethod
    def of(cls, job: Job) -> "State":
        """As it was left."""
        path = job.folder / "provider.json"
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else cls()

    def save(self, job: Job) -> None:
        """Have it on disk."""
        manifest.write_whole(job.folder / "provider.json", json.dumps(asdict(self), indent=2))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While no other program of this job is at it. Raises Failure when one stays."""
    with (folder / "provider.lock").open("ab") as lock:
        end = time.monotonic() + ALONE_WITHIN_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    said = "Another program of this training is still at work with the provider."
                    raise Failure("not_alone", said, "Wait a minute, then resume.") from error
                time.sleep(0.2)
        yield


def begin(job: Job, provider: Provider, settings: dict[str, Any], files: dict[str, Path], state: State) -> None:
    """Have exactly one job there, and remember it."""
    for _ in range(NUM_LOST_ANSWERS):
        if state.job is None:
            send_files(job, provider, files, state)  # first, because a job is known by its file, too
            there = find(job, provider, state)
            state.job = str(there["id"]) if there is not None else None
        if state.job is not None:
            state.is_begun = True
            state.save(job)
            return
        job.report.phase("starting", f"Asking {provider.host} to train {settings['model']}", step=0)
        was_begun, state.is_begun, state.is_over = state.is_begun, True, False
        state.save(job)
        try:
            state.job = str(provider.post_once(JOBS, wish(job, settings, state))["id"])
        except Unclear as unclear:
            said = f"{provider.host} did not say whether it has begun ({unclear.words}). Looking first."
            job.report.log(said, "warning")
            provider.wait(unclear.retry_after_s or 2.0 + pause_s(1))
        except Refused as refused:
            state.is_begun = was_begun  # an answer that refuses is clear
            state.save(job)
            raise failure_of(refused, provider.host, is_create=True) from refused
    if state.job is None:
        hint = "Resume later: it is looked for before it is asked for again, so nothing is paid twice."
        raise Failure("provider_away", f"{provider.host} did not say whether it has begun.", hint)
    state.save(job)


def find(job: Job, provider: Provider, state: State) -> dict[str, Any] | None:
    """The job that was begun there for this training, if there is one."""
    sent = state.files.get("learn")
    try:
        for there in provider.pages(JOBS, limit=100):
            known = (there.get("metadata") or {}).get("goldsmith_job")
            if known == job.order.job_id or (sent is not None and there.get("training_file") == sent):
                job.report.log(f"Found at {provider.host}: {there['id']}. No second one is begun.")
                return there
    except Refused as refused:
        if refused.status not in NOT_THERE:
            raise
        if state.is_begun:
            said = f"{provider.host} does not list its jobs, so nobody can tell whether this one has begun there."
            hint = "Look there, and cancel what has begun. Then start another training."
            raise Failure("not_known_whether_begun", said, hint) from refused
    return None


def send_files(job: Job, provider: Provider, files: dict[str, Path], state: State) -> None:
    """Upload what was not uploaded; a file of this name that is there already is taken."""
    for side, path in files.items():
        if side in state.files:
            continue
        name = f"goldsmith-{job.order.job_id}-{side}.jsonl"
        job.report.phase("sending", f"Sending {path.name} to {provider.host}", step=0)
        found = find_file(provider, name, path.stat().st_size)
        state.files[side] = found or str(provider.upload(Upload(path, name))["id"])
        state.save(job)


def find_file(provider: Provider, name: str, size: int) -> str | None:
    """The id of a file there with this very name and size."""
    try:
        for there in provider.pages("/files", purpose="fine-tune", limit=1000):
            if there.get("filename") == name and there.get("bytes") == size:
                return str(there["id"])
    except Refused as refused:
        if refused.status not in NOT_THERE:
            raise
    return None


def wish(job: Job, settings: dict[str, Any], state: State) -> dict[str, Any]:
    """The job that is asked for, as OpenAI's API takes it."""
    chosen = {
        "n_epochs": settings["num_epochs"],
        "batch_size": settings["batch_size"],
        "learning_rate_multiplier": settings["learning_rate_multiplier"],
    }
    hyperparameters = {name: value for name, value in chosen.items() if value is not None}
    suffix = settings["suffix"] or re.sub(r"[^a-z0-9]+", "-", job.order.model_name.lower()).strip("-")[:40]
    more = {"validation_file": state.files.get("exam"), "seed": settings["seed"], "suffix": suffix or None}
    return {
        "model": settings["model"],
        "training_file": state.files["learn"],
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        "metadata": {"goldsmith_job": job.order.job_id},
        **{name: value for name, value in more.items() if value is not None},
    }
