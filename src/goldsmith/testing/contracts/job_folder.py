"""A training's job folder, made as `train/preparation.py` leaves it, and its program run in it as the supervisor does.

For every trainer program: what it trains with is what its backend's own options and plan say.
"""

import hashlib
import json
import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from goldsmith.environments import machine
from goldsmith.jobs import program
from goldsmith.jobs.folder import JobFolder
from goldsmith.models.types import Learns
from goldsmith.train.backends.base import Backend, Plan
from goldsmith.train.recipe import read_options
from goldsmith.wire import events
from goldsmith.wire.events import Event, EventKind
from goldsmith.wire.order import DataFile, Order
from goldsmith.wire.rows import Row

NUM_LEARN, NUM_EXAM, NUM_STEPS = 8, 2, 4
WISHES: Mapping[str, Any] = {
    "batch_size": 2,
    "num_epochs": 1,
    "save_every_steps": 1,
    "lora_dropout": 0.1,
    "step_s": 0.2,
}
"""Two rows a step, a checkpoint after each. A backend that has no such option is not asked for it."""
CPU = replace(machine.look(), gpus=())


@dataclass(frozen=True)
class Trainer:
    """A training backend, the Python that its program needs, and the base model that it trains."""

    backend: Backend
    python: Path
    base_folder: Path
    wishes: Mapping[str, Any] = field(default_factory=lambda: dict(WISHES))
    beside_options: Mapping[str, Any] = field(default_factory=dict)
    """Settings that no person chooses, e.g. where a provider is."""
    env: Mapping[str, str] = field(default_factory=dict)
    """What the program finds in its environment besides our own."""

    def plan(self, **wishes: Any) -> Plan:
        """What the backend wants to run, for what is wished as far as it has such options."""
        known = self.backend.options.model_fields
        given = {name: value for name, value in {**self.wishes, **wishes}.items() if name in known}
        return self.backend.plan(read_options(self.backend, given), CPU)


def write_rows(
    folder: Path, side: str, num_rows: int, num_answer_tokens: int, *, learns: Learns = Learns.answers
) -> DataFile:
    """Rows of different lengths whose answer can be learned: it repeats the first token. The bad one: the last.

    Of single marks every second answer is a bad one.
    """
    pick = random.Random(side)  # noqa: S311 - made-up rows, not a secret
    made = []
    for number in range(num_rows):
        prompt = [pick.randrange(100, 40_000) for _ in range(6 + number)]
        is_bad = learns is Learns.marks and number % 2 == 1
        ids = prompt + [prompt[-1 if is_bad else 0]] * num_answer_tokens
        labels = [-100] * len(prompt) + ids[len(prompt) :]
        rejected = [prompt[-1]] * 2 if learns is Learns.pairs else []
        made.append(Row(f"row_{side}{number}", ids, labels, rejected, is_bad))
    text = "".join(row.to_line() for row in made)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data" / f"{side}.jsonl").write_text(text, encoding="utf-8")
    num_tokens, num_learned = sum(len(row.input_ids) for row in made), sum(row.num_learned for row in made)
    return DataFile(f"data/{side}.jsonl", hashlib.sha256(text.encode()).hexdigest(), num_rows, num_tokens, num_learned)


def write_chats(folder: Path, side: str, num_rows: int, num_answer_tokens: int) -> DataFile:
    """Conversations, as a provider gets them; without tokens to answer with the answer is empty."""
    lines = [
        [{"role": "user", "content": f"{side} {number}?"}, {"role": "assistant", "content": "yes " * num_answer_tokens}]
        for number in range(num_rows)
    ]
    text = "".join(json.dumps({"messages": line}) + "\n" for line in lines)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data" / f"{side}.jsonl").write_text(text, encoding="utf-8")
    return DataFile(f"data/{side}.jsonl", hashlib.sha256(text.encode()).hexdigest(), num_rows, 0, 0)


def make_folder(
    folder: Path,
    trainer: Trainer,
    *,
    num_answer_tokens: int = 3,
    beside_options: Mapping[str, Any] | None = None,
    **wishes: Any,
) -> Path:
    """A whole job folder. `beside_options` are settings that the backend's options would not let pass."""
    plan = trainer.plan(**wishes)
    if plan.at_provider:
        learn, exam = (
            write_chats(folder, "learn", NUM_LEARN, num_answer_tokens),
            write_chats(folder, "exam", NUM_EXAM, 3),
        )
    else:
        learn = write_rows(folder, "learn", NUM_LEARN, num_answer_tokens, learns=plan.learns)
        exam = write_rows(folder, "exam", NUM_EXAM, 3)
    order = Order(
        job_id="job_1",
        program=plan.program,
        model_id="ftm_1",
        model_name="My model",
        base_model_id="bm_1",
        base_model_name="smollm2-135m-instruct",
        base_model_folder=str(trainer.base_folder),
        base_model_hash="cd",
        template_hash="ef",
        learn=learn,
        exam=exam,
        settings={**plan.settings, **trainer.beside_options, **(beside_options or {})},
        device="cpu",
    )
    (folder / "job.json").write_text(order.to_json(), encoding="utf-8")
    program.copy_program(JobFolder(folder), plan.program)
    return folder


@contextmanager
def started(trainer: Trainer, folder: Path, attempt: int = 1) -> Iterator["subprocess.Popen[bytes]"]:
    """The program at work; killed at the end of the block if it still is."""
    arguments = ("--order", "../job.json", "--attempt", str(attempt))
    command = program.command(trainer.python, trainer.plan().program, arguments)
    log_path = folder / "attempts" / str(attempt) / "log"
    log_path.parent.mkdir(parents=True)
    with log_path.open("wb") as log:
        child = subprocess.Popen(
            command,
            cwd=folder / "program",
            env={**os.environ, **trainer.env},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            child.kill()
            child.wait()


def run(trainer: Trainer, folder: Path, attempt: int = 1, *, timeout_s: float = 300) -> list[Event]:
    """Everything that the program says, until it ends; its exit code must fit its last word."""
    with started(trainer, folder, attempt) as child:
        code = child.wait(timeout=timeout_s)
    found = read(folder, attempt)
    assert found, (folder / "attempts" / str(attempt) / "log").read_text()
    assert code == (1 if found[-1].kind is EventKind.FAILED else 0)
    return found


def run_until(trainer: Trainer, folder: Path, is_there: Callable[[Event], bool]) -> list[Event]:
    """What the program says up to this event, or to its end; what would follow is not waited for."""
    with started(trainer, folder) as child:
        wait_for(folder, child, lambda event: event.kind.is_last or is_there(event))
    return read(folder)


def read(folder: Path, attempt: int = 1) -> list[Event]:
    """What was said so far."""
    return events.read(folder / "attempts" / str(attempt) / "events.jsonl")


def wait_for(
    folder: Path, child: "subprocess.Popen[bytes]", is_there: Callable[[Event], bool], attempt: int = 1
) -> None:
    """Wait for an event of an attempt."""
    until = time.monotonic() + 300
    while not any(map(is_there, read(folder, attempt))):
        assert child.poll() is None, (folder / "attempts" / str(attempt) / "log").read_text()
        assert time.monotonic() < until, "the event did not come"
        time.sleep(0.02)


def losses(found: list[Event]) -> dict[int, float]:
    """The loss of every step."""
    return {event.data["step"]: event.data["loss"] for event in found if event.kind is EventKind.STEP}


def saved(found: list[Event]) -> list[int]:
    """The steps whose checkpoints were written."""
    return [event.data["step"] for event in found if event.kind is EventKind.SAVED]
