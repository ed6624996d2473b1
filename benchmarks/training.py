"""How fast we train on a CPU, beside plain TRL and beside a bare PyTorch loop, on the same rows in the same order.

Our side is the trainer program itself, in a real job folder. What is compared is the time from the end of the first
step to the end of the last: no loading, no saving, no exam on any side. Tokens are all tokens, prompts included and
padding not. The losses of all three must be the same, or the comparison is void.

    .venv/bin/python -m benchmarks.training [--steps N] [--rounds N]
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import borrowed
from benchmarks.measure import ROUNDS, Measured, interleaved, table, write_section

from goldsmith.demo import story
from goldsmith.environments import machine
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import program
from goldsmith.jobs.folder import JobFolder
from goldsmith.models.rendered_file import Lesson, render_set
from goldsmith.models.rendering import Renderer
from goldsmith.train.backends.base import Plan
from goldsmith.train.backends.trl import Trl, TrlOptions
from goldsmith.wire import events, rows
from goldsmith.wire.events import EventKind
from goldsmith.wire.order import DataFile, Order

PROGRAMS = Path(__file__).with_name("programs")
NUM_STEPS = 7
NUM_SHOWN = 5
LOSS_TOLERANCE = 1e-3
OURS, PLAIN, BARE = "Goldsmith", "TRL's SFTTrainer", "bare PyTorch loop"
GOAL_PLAIN, GOAL_BARE = 1.3, 0.9
TIMEOUT_S = 900.0


@dataclass
class Bench:
    """The rows, and what each subject said."""

    folder: Path
    tokens_of_steps: list[int]
    losses: dict[str, list[float]] = field(default_factory=dict)
    num_exam_tokens: int = 0
    saving_s: list[float] = field(default_factory=list)
    exam_speed: list[float] = field(default_factory=list)
    """Tokens/s of scoring the exam, which follows the checkpoint at the end of an epoch."""

    def ours(self) -> float:
        """The trainer program; its own events say when each step ended."""
        job = JobFolder(self.folder)
        for made in (job.attempt(1), job.result, job.checkpoints):
            shutil.rmtree(made, ignore_errors=True)
        self._run("goldsmith.trainers.trl_sft", ("--order", "../job.json", "--attempt", "1"))
        said = events.read(job.events(1))
        if not said or said[-1].kind is not EventKind.SUCCEEDED:
            raise SystemExit(f"Our trainer did not succeed: {said[-1].data if said else 'it said nothing'}")
        steps = [event for event in said if event.kind is EventKind.STEP]
        saved = next(event for event in said if event.kind is EventKind.SAVED)
        evaluated = [event for event in said if event.kind is EventKind.EVALUATED][-1]
        self.saving_s.append(saved.at - steps[-1].at)
        self.exam_speed.append(self.num_exam_tokens / (evaluated.at - saved.at))
        return self._speed(OURS, [event.at for event in steps], [event.data["loss"] for event in steps])

    def other(self, name: str, file: str) -> float:
        """One of the programs beside this file."""
        self._run(str(PROGRAMS / file), (str(self.folder),))
        said = json.loads((self.folder / "steps.json").read_text(encoding="utf-8"))
        return self._speed(name, said["ends"], said["losses"])

    def _run(self, what: str, arguments: Sequence[str]) -> None:
        run_program(self.folder, what, arguments)

    def _speed(self, name: str, ends: Sequence[float], losses: list[float]) -> float:
        if len(ends) != len(self.tokens_of_steps):
            raise SystemExit(f"{name} made {len(ends)} steps, not {len(self.tokens_of_steps)}.")
        self.losses[name] = losses
        return sum(self.tokens_of_steps[1:]) / (ends[-1] - ends[0])


def main() -> None:
    """Measure, check the losses, write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=NUM_STEPS, help="the first is a warm-up and is not counted")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as name:
        bench = prepare(Path(name), options.steps)
        found = interleaved(
            {
                OURS: bench.ours,
                PLAIN: lambda: bench.other(PLAIN, "plain_sft.py"),
                BARE: lambda: bench.other(BARE, "bare_loop.py"),
            },
            rounds=options.rounds,
        )
    check_losses(bench.losses)
    write(bench, found, options)


def run_program(
    folder: Path, what: str, arguments: Sequence[str], *, environment: EnvironmentName = EnvironmentName.TRL
) -> None:
    """In the trainer's environment, with the environment variables that the supervisor would pass on."""
    python = borrowed.python_of(environment)
    argv = program.command(python, what, arguments)
    if what.endswith(".py"):
        argv = (str(python), "-E", "-s", what, *arguments)
    launch = program.launch(JobFolder(folder), argv, os.environ)
    done = subprocess.run(
        launch.argv, cwd=launch.cwd, env=launch.env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        raise SystemExit(f"{what} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def prepare(folder: Path, num_steps: int) -> Bench:
    """A job folder as `train/preparation.py` makes it, with messages of the demo: one epoch, a batch of exam rows."""
    facts = machine.look()
    plan = Trl().plan(TrlOptions.model_validate({"num_epochs": 1, "save_every_steps": 10_000}), facts)
    size = plan.settings["batch_size"]
    chats = list(examples((num_steps + 1) * size))
    order = write_job(folder, plan, base=borrowed.base_folder(), learn=chats[:-size], exam=chats[-size:], device="cpu")
    return Bench(folder, tokens_of_steps(folder, order), num_exam_tokens=order.exam.num_tokens if order.exam else 0)


def write_job(
    folder: Path, plan: Plan, *, base: Path, learn: Sequence[Lesson], exam: Sequence[Lesson] = (), device: str
) -> Order:
    """A job folder as `train/preparation.py` makes it, with a copy of the program."""
    renderer = Renderer.open(base)
    learned = render(folder, "learn", learn, renderer)
    order = Order(
        job_id="job_benchmark",
        program=plan.program,
        model_id="ftm_benchmark",
        model_name="benchmark",
        base_model_id="bm_benchmark",
        base_model_name=base.name,
        base_model_folder=str(base),
        base_model_hash="",
        template_hash=renderer.template_hash,
        learn=learned,
        exam=render(folder, "exam", exam, renderer) if exam else None,
        settings=plan.settings,
        device=device,
        num_threads=machine.look().num_cores,
    )
    job = JobFolder(folder)
    job.order.write_text(order.to_json(), encoding="utf-8")
    program.copy_program(job)
    told = f"{learned.num_rows} rows, {learned.num_tokens} tokens, {learned.num_learned_tokens} of them learned"
    print(told, flush=True)
    return order


def render(folder: Path, side: str, chats: Sequence[Lesson], renderer: Renderer) -> DataFile:
    """One side's rows as token ids, in the job folder."""
    path = folder / "data" / f"{side}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    made = render_set(chats, renderer, max_tokens=1024, path=path)
    if made.num_rows != len(chats):
        raise SystemExit(f"Only {made.num_rows} of {len(chats)} rows could be rendered.")
    return DataFile(f"data/{side}.jsonl", made.sha256, made.num_rows, made.num_tokens, made.num_learned_tokens)


def examples(num_rows: int) -> Iterator[Lesson]:
    """The first sample messages as chats."""
    with story.rows_path().open(encoding="utf-8", newline="") as file:
        for number, row in zip(range(num_rows), csv.DictReader(file), strict=False):
            asked = [
                {"role": "system", "content": story.SYSTEM_TEXT},
                {"role": "user", "content": row["message"]},
            ]
            yield Lesson(f"row_{number}", [*asked, {"role": "assistant", "content": row["expected"]}])


def tokens_of_steps(folder: Path, order: Order) -> list[int]:
    """Tokens of each step, told by the trainer's own order of the rows."""
    from goldsmith.trainers._rows import DataOrder

    size, accumulation = order.settings["batch_size"], order.settings["gradient_accumulation"]
    learn = rows.read(folder, order.learn)
    seed = order.settings["seed"]
    return DataOrder(learn, batch_size=size, accumulation=accumulation, num_epochs=1, seed=seed).tokens_of_steps()


def check_losses(losses: dict[str, list[float]]) -> None:
    """End the program when one of the three has calculated something else."""
    for name, found in losses.items():
        print(f"{name:>20}: losses {' '.join(f'{loss:.5f}' for loss in found[:NUM_SHOWN])}", flush=True)
        for ours, theirs in zip(losses[OURS], found, strict=True):
            if abs(ours - theirs) > LOSS_TOLERANCE * max(1.0, abs(ours)):
                raise SystemExit(f"The comparison is void: {name} has the loss {theirs}, ours is {ours}.")


def write(bench: Bench, found: dict[str, Measured], options: argparse.Namespace) -> None:
    """The section of RESULTS.md."""
    plain, bare = found[OURS] / found[PLAIN], found[OURS] / found[BARE]
    lines: list[Sequence[str]] = [[name, measured.text()] for name, measured in found.items()]
    ratios: list[Sequence[str]] = [
        [f"times {PLAIN}", plain.text(), f"{GOAL_PLAIN}", _verdict(plain, GOAL_PLAIN)],
        [f"times the {BARE}", bare.text(), f"{GOAL_BARE}", _verdict(bare, GOAL_BARE)],
    ]
    losses = " ".join(f"{loss:.4f}" for loss in bench.losses[OURS][:NUM_SHOWN])
    counted = bench.tokens_of_steps[1:]
    how = (
        f"SmolLM2-135M, LoRA of rank 8 on all linear layers, float32, {len(counted)} steps of 8 rows after one that is "
        f"not counted, {sum(counted) / len(counted):.0f} tokens a step, {machine.look().num_cores} threads. The same "
        "rows in the same order, sorted by length as our trainer does, which spares the others padding too; no "
        f"gradient checkpointing, no exam and no checkpoint within. The losses of all three are the same: {losses} …"
    )
    saving, scoring = Measured(tuple(bench.saving_s)).text("s"), Measured(tuple(bench.exam_speed)).text("tokens/s", 0)
    beyond = (
        f"Besides, a training of ours saves and scores: a checkpoint at the end of each epoch takes {saving}; "
        f"exam rows are scored then, and before the first step where they are few, at {scoring}. With one exam row for "
        f"three that are learned an epoch takes {100 * exam_share(bench, found):.0f} % longer for it."
    )
    command = f".venv/bin/python -m benchmarks.training --steps {options.steps} --rounds {options.rounds}"
    write_section(
        "Training",
        how,
        table(["", "tokens/s"], lines),
        table(["Goldsmith, round by round", "", "goal", ""], ratios),
        beyond,
        command=command,
    )


def exam_share(bench: Bench, found: dict[str, Measured]) -> float:
    """How much longer an epoch takes by scoring a third as many tokens as it learns."""
    return found[OURS].median / (3 * Measured(tuple(bench.exam_speed)).median)


def _verdict(measured: Measured, goal: float) -> str:
    return "reached" if measured.median >= goal else "not reached"


if __name__ == "__main__":
    main()
