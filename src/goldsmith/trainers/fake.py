"""A training that trains nothing: `python -m goldsmith.trainers.fake --order ../job.json --attempt 1`.

Says and writes what a real trainer says and writes, in seconds and with the standard library alone; its numbers are
made up from hashes. It can also misbehave on purpose. For trying out everything around a training.
"""

import hashlib
import json
import math
import os
import shutil
import signal
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from goldsmith.trainers._report import Failure, Job, Stopped, run
from goldsmith.trainers._rows import read_rows
from goldsmith.trainers._samples import NUM_ROWS
from goldsmith.wire.events import EventKind
from goldsmith.wire.rows import Row

SETTINGS = {
    "num_epochs": 2,
    "batch_size": 8,
    "save_every_steps": 5,
    "learning_rate": 5e-4,
    "lora_rank": 8,
    "max_length": None,
    "step_s": 0.01,  # seconds that a step takes
    "behaviour": "succeed",
}
"""Settings that are read, and their defaults; others are passed over. `behaviour` is one of:

- `succeed`
- `fail_at:N`: fail in step N
- `hang`: say nothing more after the first step, and do not stop when asked
- `ignore_term`: take no notice of being asked to stop
- `half_line`: end after the second step in the midst of writing an event
- `print_100mb`: print 100 MB after the first step, then go on
- `exit_0_without_adapter`: claim success without a result
- `zero_adapter`: find at the end that the adapter changes nothing
- `nan_loss`: the loss of the second step is not a number
"""

NUM_PROBE_ROWS = 16
HIDDEN = 8


@dataclass
class State:
    """What a checkpoint keeps. `chain` depends on every step that was done, so a step done twice or left out shows."""

    step: int = 0
    chain: str = ""
    losses: list[float] = field(default_factory=list)
    tokens_seen: int = 0
    train_s: float = 0.0


def work(job: Job) -> dict[str, Any]:
    """Pretend to train, from the newest checkpoint on."""
    finished = job.finished_figures()
    if finished is not None:
        return finished
    settings = {**SETTINGS, **job.order.settings}
    learn, exam = read_rows(job, settings["max_length"])
    state = load_state(job)
    if settings["behaviour"] == "ignore_term":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    job.report.phase("training", "Pretending to train", step=state.step)
    if not (state.step and job.report.keep_asked):
        train(job, settings, learn, exam, state)
    if job.report.keep_asked and (best := job.best_checkpoint()):
        state = State(**json.loads((best[0] / "state.json").read_text()))
    return write_result(job, settings, learn + exam, state)


def load_state(job: Job) -> State:
    """The state of the newest whole checkpoint, or a fresh one."""
    found = job.newest_checkpoint()
    if found is None:
        return State()
    job.report.log(f"Goes on after step {found[1]}.")
    return State(**json.loads((found[0] / "state.json").read_text()))


def save_state(job: Job, state: State) -> None:
    """Write a checkpoint."""
    partial = job.folder / "checkpoints" / f"partial-{state.step}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    (partial / "state.json").write_text(json.dumps(vars(state)))
    job.publish_checkpoint(partial, state.step)


def train(job: Job, settings: dict[str, Any], learn: list[Row], exam: list[Row], state: State) -> None:
    """All steps that are left; saves, scores and stops as a real trainer does."""
    size = settings["batch_size"]
    steps_per_epoch = math.ceil(len(learn) / size)
    total = steps_per_epoch * settings["num_epochs"]
    while state.step < total:
        place = state.step % steps_per_epoch
        began = time.monotonic()
        time.sleep(settings["step_s"])
        loss = take_step(state, learn[place * size : (place + 1) * size], total)
        seconds = time.monotonic() - began
        state.train_s += seconds
        misbehave(job, settings["behaviour"], state)
        job.report.say(
            EventKind.STEP,
            step=state.step,
            total_steps=total,
            epoch=state.step / steps_per_epoch,
            loss=loss,
            learning_rate=settings["learning_rate"] * (1 - (state.step - 1) / total),
            grad_norm=loss / 2,
            tokens_per_s=state.tokens_seen / state.train_s,
            memory_mb=10.0,
            seconds_left=seconds * (total - state.step),
            tokens_seen=state.tokens_seen,
        )
        stop, keep = job.report.stop_asked, job.report.keep_asked
        is_epoch_end = state.step % steps_per_epoch == 0
        if stop or keep or is_epoch_end or state.step % settings["save_every_steps"] == 0:
            save_state(job, state)
        if (is_epoch_end or keep) and exam:
            evaluate(job, exam, state)
        if stop and state.step < total:
            raise Stopped(state.step)
        if keep:
            return


def evaluate(job: Job, exam: list[Row], state: State) -> None:
    """Say how well it does on the exam, and what it answers there."""
    exam_loss = state.losses[-1] * 1.1
    job.keep_score(state.step, exam_loss)
    job.report.say(EventKind.EVALUATED, step=state.step, exam_loss=exam_loss)
    said = f"What a pretended model says after step {state.step}."
    answers = [{"row_id": row.row_id, "text": said, "is_cut": False} for row in exam[:NUM_ROWS]]
    job.report.say(EventKind.SAMPLED, step=state.step, answers=answers)


def take_step(state: State, batch: list[Row], total: int) -> float:
    """Count the step and return its loss, which falls, and depends on all rows seen so far."""
    seen = state.chain + "".join(row.row_id for row in batch)
    state.chain = hashlib.sha256(seen.encode()).hexdigest()
    state.step += 1
    state.tokens_seen += sum(len(row.input_ids) for row in batch)
    loss = 0.05 + 3 * math.exp(-4 * state.step / total) + 0.02 * fraction(state.chain)
    state.losses.append(loss)
    return loss


def misbehave(job: Job, behaviour: str, state: State) -> None:
    """Do what `behaviour` asks for in this step."""
    if behaviour == f"fail_at:{state.step}":
        raise Failure("told_to_fail", f"Failed in step {state.step}, as told.", "Choose another behaviour.")
    if behaviour == "hang" and state.step == 1:
        while True:
            time.sleep(3600)
    if behaviour == "print_100mb" and state.step == 1:
        for _ in range(100):
            sys.stdout.write("x" * 999_999 + "\n")
    if behaviour == "nan_loss" and state.step == 2:
        raise Failure("loss_not_finite", f"The loss of step {state.step} is not a number.", "Lower the learning rate.")
    if behaviour == "half_line" and state.step == 2:
        newest = max((job.folder / "attempts").glob("*/events.jsonl"), key=lambda path: int(path.parent.name))
        with newest.open("ab") as file:
            file.write(b'{"seq": 99, "at": 1.0, "kind": "succ')
            os.fsync(file.fileno())
        os._exit(1)


def write_result(job: Job, settings: dict[str, Any], probe: list[Row], state: State) -> dict[str, Any]:
    """An adapter, a probe, a card and the manifest, of the same shape as real ones."""
    duration_s = round(state.train_s, 3)
    figures = {
        "final_loss": state.losses[-1],
        "exam_loss": state.losses[-1] * 1.1 if job.order.exam else None,
        "steps": state.step,
        "tokens_per_s": state.tokens_seen / state.train_s,
        "peak_memory_mb": 10.0,
        "duration_s": duration_s,
    }
    if settings["behaviour"] == "exit_0_without_adapter":
        return {**figures, "size_mb": 0.0}
    if settings["behaviour"] == "zero_adapter":
        raise Failure("adapter_changes_nothing", "The trained weights are all zero.", "Raise the learning rate.")
    job.report.phase("finishing", "Writing the model", step=state.step)
    shutil.rmtree(job.result, ignore_errors=True)
    job.result.mkdir()
    adapter = fake_adapter(int(settings["lora_rank"]), job.order_sha256)
    (job.result / "adapter_model.safetensors").write_bytes(adapter)
    config = {"peft_type": "LORA", "r": settings["lora_rank"], "base_model_name_or_path": job.order.base_model_name}
    (job.result / "adapter_config.json").write_text(json.dumps(config, indent=2))
    write_probe(job, probe)
    (job.result / "README.md").write_text(f"# {job.order.model_name}\n\nMade by the fake trainer: it knows nothing.\n")
    figures["size_mb"] = len(adapter) / 1e6
    job.finish_result(figures)
    return figures


def write_probe(job: Job, candidates: list[Row]) -> None:
    """Up to 16 learn rows and 16 exam rows with made-up log-probabilities: better when tuned."""
    num_learn = job.order.learn.num_rows
    sides = {"learn": candidates[:num_learn], "exam": candidates[num_learn:]}
    with (job.result / "probe.jsonl").open("w", encoding="utf-8") as file:
        for side, side_rows in sides.items():
            for row in side_rows[:NUM_PROBE_ROWS]:
                base = [-1 - 4 * fraction(f"{row.row_id} {place}") for place in range(row.num_learned)]
                line = {
                    "row_id": row.row_id,
                    "side": side,
                    "input_ids": row.input_ids,
                    "labels": row.labels,
                    "token_logprobs": [value / 20 for value in base],
                    "base_token_logprobs": base,
                }
                file.write(json.dumps(line) + "\n")


def fake_adapter(rank: int, salt: str) -> bytes:
    """Two small float32 matrices in the safetensors format: length of the header, header, numbers."""
    names = [f"base_model.model.model.layers.0.self_attn.q_proj.lora_{side}.weight" for side in "AB"]
    size = rank * HIDDEN
    shapes = {names[0]: [rank, HIDDEN], names[1]: [HIDDEN, rank]}
    header = {
        name: {"dtype": "F32", "shape": shapes[name], "data_offsets": [place * size * 4, (place + 1) * size * 4]}
        for place, name in enumerate(names)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    numbers = [fraction(f"{salt} {place}") - 0.5 for place in range(2 * size)]
    return struct.pack("<Q", len(text)) + text + struct.pack(f"<{2 * size}f", *numbers)


def fraction(text: str) -> float:
    """A number from 0 to 1 that depends on `text` alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


if __name__ == "__main__":
    sys.exit(run(work))
