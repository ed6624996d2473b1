"""How fast we train on a GPU and with how much memory, beside plain TRL and plain PEFT, on the same rows.

Our backends `trl` and `unsloth` are their own programs in real job folders, with what they choose by themselves on this
machine; on a GPU `trl` once more without padding, and `unsloth` with its base model in 4 bit. Beside them stand TRL's
`SFTTrainer` with its own defaults and a bare loop over PEFT. Model, adapter, rows, rows at once, learning rate and seed
are the same. The time is that from the end of the first step to the end of the last; tokens are all tokens, prompts
included and padding not.
Where no GPU is at hand it runs on the CPU, with fewer rows, and says what is missing.

    .venv/bin/python -m benchmarks.gpu_train [--rounds N] [--steps N] [--batch N] [--base FOLDER]
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks import borrowed
from benchmarks.measure import Measured, interleaved, table, write_section
from benchmarks.product import say
from benchmarks.training import PROGRAMS, examples, run_program, tokens_of_steps, write_job

from goldsmith.environments import folders, machine
from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.errors import GoldsmithError
from goldsmith.jobs.folder import JobFolder
from goldsmith.models.rendered_file import Lesson
from goldsmith.train.backends.base import Backend
from goldsmith.train.backends.trl import Trl
from goldsmith.train.backends.unsloth import Unsloth
from goldsmith.wire import events
from goldsmith.wire import order as orders
from goldsmith.wire import rows as wire_rows
from goldsmith.wire.events import EventKind

WITHIN_S = 7 * 60.0
"""A round that would end later does not begin, so that the whole is over within eight minutes."""
PLAIN, BARE = "TRL's SFTTrainer, its defaults", "plain PEFT, bare loop"
TRL, TRL_UNPADDED = "Goldsmith, `trl`", "Goldsmith, `trl` without padding"
UNSLOTH, UNSLOTH_4BIT = "Goldsmith, `unsloth`", "Goldsmith, `unsloth` in 4 bit"
GOAL_TRL, GOAL_4BIT, GOAL_4BIT_MEMORY = 1.5, 2.0, 0.5
MB = 1000
WITHOUT_GPU = ("every figure of a GPU", "`unsloth` in 4 bit, which needs an NVIDIA GPU")
LOSS_FACTOR = 1.5
"""The mean losses of a training lie no further apart than this, or something else was learned."""


@dataclass(frozen=True)
class Size:
    """How much is trained; the first step is a warm-up and is not counted."""

    rounds: int
    steps: int
    batch: int


SIZES = {"cuda": Size(rounds=5, steps=60, batch=16), "cpu": Size(rounds=3, steps=4, batch=4)}


@dataclass
class Subject:
    """One way to train on the same rows, and what it said each time."""

    name: str
    folder: Path
    environment: EnvironmentName
    file: str = ""
    """One of the programs beside; empty: our own."""
    memory_mb: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    """The mean of each time."""

    def measure(self) -> float:
        """Train once; tokens a second."""
        told = self._others() if self.file else self._ours()
        ends, losses = told["ends"], told["losses"]
        tokens = self._tokens()
        if len(ends) != len(tokens):
            raise SystemExit(f"{self.name} made {len(ends)} steps, not {len(tokens)}.")
        self.memory_mb.append(told["memory_mb"])
        self.losses.append(sum(losses) / len(losses))
        return sum(tokens[1:]) / float(ends[-1] - ends[0])

    def _ours(self) -> dict[str, Any]:
        """The program itself, whose events say all."""
        job, order = JobFolder(self.folder), orders.read(self.folder / "job.json")
        for made in (job.attempt(1), job.result, job.checkpoints):
            shutil.rmtree(made, ignore_errors=True)
        run_program(
            self.folder, order.program, ("--order", "../job.json", "--attempt", "1"), environment=self.environment
        )
        found = [event for event in events.read(job.events(1)) if event.kind is EventKind.STEP]
        return {
            "ends": [event.at for event in found],
            "losses": [event.data["loss"] for event in found],
            "memory_mb": max(event.data["memory_mb"] for event in found),
        }

    def _others(self) -> dict[str, Any]:
        arguments = (str(self.folder), "--as-they-come")
        run_program(self.folder, str(PROGRAMS / self.file), arguments, environment=self.environment)
        return dict(json.loads((self.folder / "steps.json").read_text(encoding="utf-8")))

    def _tokens(self) -> list[int]:
        """Of each step: in our order, or as the rows come."""
        order = orders.read(self.folder / "job.json")
        if not self.file:
            return tokens_of_steps(self.folder, order)
        lengths = [len(row.input_ids) for row in wire_rows.read(self.folder, order.learn)]
        size = order.settings["batch_size"]
        return [sum(lengths[start : start + size]) for start in range(0, len(lengths), size)]


def main() -> None:
    """Measure, and write the section."""
    facts = machine.look()
    options = _options(facts.device)
    base = options.base or borrowed.base_folder()
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as name:
        subjects, missing = prepare(Path(name), facts, base, options)
        measures: dict[str, Callable[[], float]] = {subject.name: subject.measure for subject in subjects}
        found = interleaved(measures, rounds=options.rounds, within_s=WITHIN_S)
    check_losses(subjects)
    is_gpu = facts.device == "cuda"
    base_option = f" --base {options.base}" if options.base else ""
    asked = f"--rounds {options.rounds} --steps {options.steps} --batch {options.batch}{base_option}"
    write_section(
        "Training on a GPU" if is_gpu else "The GPU's benchmark of training, on a CPU",
        _how(facts, options),
        _figures(subjects, found),
        *([_goals(subjects, found)] if is_gpu else []),
        *([f"Missing here: {'; '.join(missing)}."] if missing else []),
        command=f".venv/bin/python -m benchmarks.gpu_train {asked}",
    )


def _options(device: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("rounds", "steps", "batch"):
        parser.add_argument(f"--{name}", type=int, default=getattr(SIZES[device], name))
    parser.add_argument("--base", type=Path, help="folder of another base model; default: the one of the tests")
    return parser.parse_args()


def prepare(
    folder: Path, facts: MachineFacts, base: Path, options: argparse.Namespace
) -> tuple[list[Subject], list[str]]:
    """A job folder for each way, with the same rows; and what cannot be measured here."""
    missing = (
        ["every figure of a GPU", "`unsloth` in 4 bit, which needs an NVIDIA GPU"] if facts.device == "cpu" else []
    )
    chats = list(islice(cycle(examples(300)), options.steps * options.batch))

    def make(name: str, backend: Backend, environment: EnvironmentName, **settings: Any) -> Subject:
        chosen = {"num_epochs": 1, "batch_size": options.batch, "save_every_steps": 10_000, **settings}
        plan = backend.plan(backend.options.model_validate(chosen), facts)
        made = folder / f"{plan.program}-{len(settings)}"
        write_job(made, plan, base=base, learn=_numbered(chats), device=facts.device)
        return Subject(name, made, environment)

    ours = [make(TRL, Trl(), EnvironmentName.TRL)]
    if facts.device == "cuda":
        ours.append(make(TRL_UNPADDED, Trl(), EnvironmentName.TRL, padding_free=True))
    if _is_there(EnvironmentName.UNSLOTH):
        ours.append(make(UNSLOTH, Unsloth(), EnvironmentName.UNSLOTH))
        if facts.device == "cuda":
            ours.append(make(UNSLOTH_4BIT, Unsloth(), EnvironmentName.UNSLOTH, load_in_4bit=True))
    else:
        missing.append(f"`unsloth`, whose environment is not installed. {borrowed.CURE.removesuffix('.')}")
    others = ((PLAIN, "default_sft.py"), (BARE, "plain_peft.py"))
    return ours + [Subject(name, ours[0].folder, EnvironmentName.TRL, file) for name, file in others], missing


def _numbered(chats: Sequence[Lesson]) -> list[Lesson]:
    """Each under an id of its own, where rows come more than once."""
    return [Lesson(f"row_{number}", chat.messages) for number, chat in enumerate(chats)]


def _is_there(environment: EnvironmentName) -> bool:
    try:
        folders.python_of(environment, home=borrowed.LENDER)
    except GoldsmithError as error:
        say(error.message)
        return False
    return True


def check_losses(subjects: Sequence[Subject]) -> None:
    """End the program when one has learned something else: the rows are the same, their order and numbers are not."""
    means = {subject.name: Measured(tuple(subject.losses)).median for subject in subjects}
    if max(means.values()) > LOSS_FACTOR * min(means.values()):
        raise SystemExit(f"The comparison is void: the mean losses are {means}.")


def _how(facts: MachineFacts, options: argparse.Namespace) -> str:
    where = ", ".join(facts.gpus) or f"the CPU in float32, {facts.num_cores} threads"
    autocast = "" if facts.gpus else " (and bfloat16, which is off here because it is slow on a CPU)"
    name = options.base.name if options.base else "SmolLM2-135M"
    held = "what is held on the device" if facts.gpus else "that of the whole process, its libraries included"
    return (
        f"{name} on {where}; LoRA of rank 8 on all linear layers, {options.steps - 1} steps of {options.batch} "
        "rows after one that is not counted. Ours sort rows by length; the others take them as they come. TRL's "
        f"defaults have gradient checkpointing on{autocast}. Memory at its peak is {held}."
    )


def _figures(subjects: Sequence[Subject], found: dict[str, Measured]) -> str:
    plain = found[PLAIN]
    lines = []
    for subject in subjects:
        speed, memory = found[subject.name], Measured(tuple(mb / MB for mb in subject.memory_mb))
        times = "" if subject.name == PLAIN else (speed / plain).text()
        loss = Measured(tuple(subject.losses))
        lines.append([subject.name, speed.text(digits=0), times, memory.text(digits=2), f"{loss.median:.3f}"])
    return table(["", "tokens/s", "times TRL's defaults", "peak memory, GB", "mean loss"], lines)


def _goals(subjects: Sequence[Subject], found: dict[str, Measured]) -> str:
    memory = {subject.name: Measured(tuple(subject.memory_mb)) for subject in subjects}
    lines = [_goal(f"{TRL}: tokens/s", found[TRL] / found[PLAIN], GOAL_TRL, is_least=True)]
    if UNSLOTH_4BIT in found:
        lines.append(_goal(f"{UNSLOTH_4BIT}: tokens/s", found[UNSLOTH_4BIT] / found[PLAIN], GOAL_4BIT, is_least=True))
        of_plain = memory[UNSLOTH_4BIT] / memory[PLAIN]
        lines.append(_goal(f"{UNSLOTH_4BIT}: memory", of_plain, GOAL_4BIT_MEMORY, is_least=False))
    return table(["times TRL's defaults", "round by round", "goal", ""], lines)


def _goal(name: str, times: Measured, goal: float, *, is_least: bool) -> list[str]:
    is_reached = times.median >= goal if is_least else times.median <= goal
    words = f"at {'least' if is_least else 'most'} {goal}"
    return [name, times.text(), words, "reached" if is_reached else "not reached"]


if __name__ == "__main__":
    main()
