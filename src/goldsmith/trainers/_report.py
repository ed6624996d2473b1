"""What every trainer program does in the same way: read its order, report, notice SIGTERM, end with one last event.

Standard library and `goldsmith.wire` only. A program calls `run(work, …)`; `work` returns the figures of its result,
or raises `Stopped` or `Failure`. Exit code 0 for succeeded and stopped, 1 for failed.
"""

import argparse
import errno
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from goldsmith.wire import events, manifest, order
from goldsmith.wire.events import EventKind

NUM_KEPT_CHECKPOINTS = 2
ONLY_CANCEL = "GOLDSMITH_ONLY_CANCEL"
"""In the environment of a program that is started to end what an earlier one has begun elsewhere, and nothing else."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_ROOM_WORDS = (*(os.strerror(number).lower() for number in NO_ROOM), "pytorchstreamwriter failed writing")


class Stopped(Exception):
    """The program was asked to stop and has saved what it had."""

    def __init__(self, step: int) -> None:
        self.step = step
        super().__init__(f"stopped after step {step}")


class Failure(Exception):
    """It cannot go on; `kind` is for programs, `summary` and `hint` are sentences for people."""

    def __init__(self, kind: str, summary: str, hint: str) -> None:
        self.kind, self.summary, self.hint = kind, summary, hint
        super().__init__(summary)


class Report:
    """The attempt's event file, and whether somebody asked to stop."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = events.Writer(path)
        self._keep_file = path.parents[2] / "keep"
        self._cancel_file = path.parents[2] / "cancel"
        self.stop_asked = False
        signal.signal(signal.SIGTERM, self._ask_to_stop)

    @property
    def keep_asked(self) -> bool:
        """Whether somebody asked to end now and keep the best: then finish with `Job.best_checkpoint`."""
        return self._keep_file.exists()

    @property
    def cancel_asked(self) -> bool:
        """Whether it is stopped for good, for a program that has more to end than itself; or started only for that."""
        return self._cancel_file.exists() or ONLY_CANCEL in os.environ

    def say(self, kind: EventKind, /, **data: Any) -> None:
        """Write one event."""
        self._writer.append(kind, **data)

    def phase(self, name: str, text: str, *, step: int) -> None:
        """Begin a named phase, unless somebody asked to stop; `step` is the last one that is saved."""
        if self.stop_asked:
            raise Stopped(step)
        self.say(EventKind.PHASE, name=name, text=text)

    def log(self, text: str, level: str = "info") -> None:
        """Say a sentence for a person."""
        self.say(EventKind.LOG, level=level, text=text)

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        self.stop_asked = True


@dataclass(frozen=True)
class Job:
    """The order, the folder that it lies in, and the SHA-256 of its text."""

    order: order.Order
    folder: Path
    order_sha256: str
    report: Report

    @property
    def result(self) -> Path:
        """Where the finished model goes."""
        return self.folder / "result"

    def newest_checkpoint(self) -> tuple[Path, int] | None:
        """The newest checkpoint of this very order whose every file is as its manifest says, and its step."""
        for step, folder in reversed(self._checkpoints()):
            body = manifest.read_whole(folder)
            if body is not None and body.get("order_sha256") == self.order_sha256 and body.get("step") == step:
                return folder, step
            self.report.log(f"Passed over {folder.name}: it is not whole.", "warning")
        return None

    def publish_checkpoint(self, written: Path, step: int) -> None:
        """Give the folder `written` its manifest and its name, and drop checkpoints that are no longer needed."""
        target = self.folder / "checkpoints" / f"step-{step}"
        _drop(target)
        manifest.write(written, order_sha256=self.order_sha256, step=step)
        written.rename(target)
        manifest.flush_folder(target.parent)
        best = self.best_step
        for old_step, old in self._checkpoints()[:-NUM_KEPT_CHECKPOINTS]:
            if old_step != best:
                _drop(old)
        self.report.say(EventKind.SAVED, step=step, path=f"checkpoints/step-{step}")

    def keep_score(self, step: int, exam_loss: float) -> None:
        """Remember how well the model of this step did on the exam: of the checkpoints the best is kept."""
        if isfinite(exam_loss):
            manifest.write_whole(self._scores_file, json.dumps({**self._scores(), str(step): exam_loss}))

    @property
    def best_step(self) -> int | None:
        """Of the checkpoints that are there, the one with the lowest exam loss; None where none was scored."""
        scores = self._scores()
        there = [step for step, _ in self._checkpoints() if str(step) in scores]
        return min(there, key=lambda step: scores[str(step)], default=None)

    @property
    def num_scores_since_best(self) -> int:
        """How often in a row the exam was scored without getting better."""
        best = self.best_step
        return 0 if best is None else sum(int(step) > best for step in self._scores())

    def score_of(self, step: int) -> float | None:
        """The exam loss at this step."""
        return self._scores().get(str(step))

    def best_checkpoint(self) -> tuple[Path, int] | None:
        """The checkpoint with the lowest exam loss that is whole, else the newest."""
        step = self.best_step
        folder = self.folder / "checkpoints" / f"step-{step}"
        if step is not None and manifest.read_whole(folder) is not None:
            return folder, step
        return self.newest_checkpoint()

    def finished_figures(self) -> dict[str, Any] | None:
        """The figures of a result that is whole already: the program was ended between its last two acts."""
        body = manifest.read_whole(self.result)
        return body["figures"] if body is not None and body.get("order_sha256") == self.order_sha256 else None

    def finish_result(self, figures: dict[str, Any]) -> None:
        """Write the manifest that makes the result count."""
        mine = {"order_sha256": self.order_sha256, "model_id": self.order.model_id}
        manifest.write(self.result, figures=figures, **mine)

    @property
    def _scores_file(self) -> Path:
        return self.folder / "scores.json"

    def _scores(self) -> dict[str, float]:
        try:
            return dict(json.loads(self._scores_file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _checkpoints(self) -> list[tuple[int, Path]]:
        folders = (self.folder / "checkpoints").glob("step-*")
        return sorted((int(path.name[5:]), path) for path in folders if path.name[5:].isdigit())


def _drop(checkpoint: Path) -> None:
    """Delete it under another name: killed in the midst, it would be a checkpoint without its manifest."""
    if checkpoint.exists():
        checkpoint.rename(checkpoint.parent / f"gone-{checkpoint.name}")
    for gone in checkpoint.parent.glob("gone-*"):
        shutil.rmtree(gone)


def run(work: Callable[[Job], dict[str, Any]], *, packages: Sequence[str] = ()) -> int:
    """Read the command line, do the work, report its end; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--order", type=Path, required=True, help="job.json; its folder is the job folder")
    parser.add_argument("--attempt", type=int, default=1)
    arguments = parser.parse_args()
    path = arguments.order.resolve()
    report = Report(path.parent / "attempts" / str(arguments.attempt) / "events.jsonl")
    try:
        return report_end(report, lambda: _start(work, path, report, packages))
    except OSError as error:  # the event file itself cannot be written
        print(f"could not report: {error}", file=sys.stderr)
        return 1


def _start(
    work: Callable[[Job], dict[str, Any]], path: Path, report: Report, packages: Sequence[str]
) -> dict[str, Any]:
    try:
        job = Job(order.read(path), path.parent, hashlib.sha256(path.read_bytes()).hexdigest(), report)
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Start the job again; if it fails again, Goldsmith and the job are of different versions."
        raise Failure("bad_order", f"The order cannot be read: {error}", hint) from error
    versions = {"python": platform.python_version()}
    for name in packages:
        versions[name] = importlib.metadata.version(name)
    report.say(EventKind.STARTED, versions=versions, pid=os.getpid())
    return work(job)


def report_end(report: Report, work: Callable[[], dict[str, Any]]) -> int:
    try:
        report.say(EventKind.SUCCEEDED, **work())
    except Stopped as stopped:
        report.say(EventKind.STOPPED, step=stopped.step)
    except Exception as error:  # noqa: BLE001 - whatever happened, the parent gets one sentence and the log the rest
        with suppress(OSError):  # the log may lie on a disk that is full
            traceback.print_exc()
        failure = error if isinstance(error, Failure) else _explain(error)
        report.say(EventKind.FAILED, kind=failure.kind, summary=failure.summary, hint=failure.hint)
        return 1
    return 0


def _is_disk_full(error: BaseException | None) -> bool:
    """Whether it, or what it came from, is a write that found no room: libraries put words of their own around it."""
    if error is None:
        return False
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return True
    text = str(error).lower()
    return any(words in text for words in NO_ROOM_WORDS) or _is_disk_full(error.__cause__ or error.__context__)


def _explain(error: Exception) -> Failure:
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "can't allocate memory" in text:
        return Failure(
            "out_of_memory", "There was not enough memory.", "Choose fewer rows at once, or a smaller base model."
        )
    if _is_disk_full(error):
        return Failure("disk_full", "The disk is full.", "Make room, then resume: the last checkpoint is kept.")
    if isinstance(error, (ImportError, importlib.metadata.PackageNotFoundError)):
        return Failure("environment_broken", f"A library is missing: {error}", "Install the environment again.")
    return Failure(
        "crashed", text, "The log of this attempt shows where. Resumed, it goes on from its last checkpoint."
    )
