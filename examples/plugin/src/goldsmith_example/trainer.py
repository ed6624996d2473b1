"""The program of `counting`: `python -m goldsmith_example.trainer --order ../job.json --attempt 1`.

Learns how often each token stands in answers, with the standard library alone; its losses are real, its adapter is
made up. A program imports nothing of Goldsmith but `goldsmith.wire` and `goldsmith.trainers`: copies of both, and of
this package, lie in the job's folder.
"""

import json
import math
import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from goldsmith.trainers._report import Job, Stopped, run
from goldsmith.trainers._rows import read_rows
from goldsmith.trainers.fake import fake_adapter, write_probe
from goldsmith.wire.events import EventKind
from goldsmith.wire.rows import Row

VOCABULARY = 50_000
LEARNING_RATE = 1.0


@dataclass
class State:
    """What a checkpoint keeps."""

    step: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    tokens_seen: int = 0
    train_s: float = 0.0


def work(job: Job) -> dict[str, Any]:
    """Count, from the newest checkpoint on."""
    finished = job.finished_figures()
    if finished is not None:
        return finished
    learn, exam = read_rows(job, job.order.settings["max_length"])
    state = load(job)
    job.report.phase("training", "Counting", step=state.step)
    if not (state.step and job.report.keep_asked):
        train(job, learn, exam, state)
    if job.report.keep_asked and (best := job.best_checkpoint()):
        state = State(**json.loads((best[0] / "state.json").read_text()))
    return write_result(job, learn, exam, state)


def load(job: Job) -> State:
    """The state of the newest whole checkpoint, or a fresh one."""
    found = job.newest_checkpoint()
    return State(**json.loads((found[0] / "state.json").read_text())) if found else State()


def save(job: Job, state: State) -> None:
    """Write a checkpoint; it counts once it was published."""
    partial = job.folder / "checkpoints" / f"partial-{state.step}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    (partial / "state.json").write_text(json.dumps(vars(state)))
    job.publish_checkpoint(partial, state.step)


def train(job: Job, learn: list[Row], exam: list[Row], state: State) -> None:
    """All steps that are left. After each: save if it is time, score, and end if somebody asked to."""
    size, asked = job.order.settings["batch_size"], job.order.settings
    steps_per_epoch = math.ceil(len(learn) / size)
    total = steps_per_epoch * asked["num_epochs"]
    while state.step < total:
        place = state.step % steps_per_epoch
        began = time.monotonic()
        time.sleep(asked["step_s"])
        take_step(state, learn[place * size : (place + 1) * size])
        state.train_s += time.monotonic() - began
        tell(job, state, total, steps_per_epoch)
        stop, keep = job.report.stop_asked, job.report.keep_asked
        is_epoch_end = state.step % steps_per_epoch == 0
        if stop or keep or is_epoch_end or state.step % asked["save_every_steps"] == 0:
            save(job, state)
        if (is_epoch_end or keep) and exam:
            loss = loss_of(state, exam)
            job.keep_score(state.step, loss)
            job.report.say(EventKind.EVALUATED, step=state.step, exam_loss=loss)
        if stop and state.step < total:
            raise Stopped(state.step)
        if keep:
            return


def take_step(state: State, batch: list[Row]) -> None:
    """The loss of these rows before they are counted, then count them."""
    state.losses.append(loss_of(state, batch))
    counts = Counter(state.counts)
    counts.update(str(token) for row in batch for token in learned(row))
    state.counts = dict(counts)
    state.step += 1
    state.tokens_seen += sum(len(row.input_ids) for row in batch)


def tell(job: Job, state: State, total: int, steps_per_epoch: int) -> None:
    """Everything that a page shows of a step."""
    job.report.say(
        EventKind.STEP,
        step=state.step,
        total_steps=total,
        epoch=state.step / steps_per_epoch,
        loss=state.losses[-1],
        learning_rate=LEARNING_RATE,
        grad_norm=1.0,
        tokens_per_s=state.tokens_seen / max(state.train_s, 1e-6),
        memory_mb=10.0,
        seconds_left=state.train_s / state.step * (total - state.step),
        tokens_seen=state.tokens_seen,
    )


def loss_of(state: State, rows: list[Row]) -> float:
    """Mean of -log p over the tokens of the answers, p by counts with one added to each."""
    total = sum(state.counts.values()) + VOCABULARY
    tokens = [token for row in rows for token in learned(row)]
    return sum(-math.log((state.counts.get(str(token), 0) + 1) / total) for token in tokens) / len(tokens)


def learned(row: Row) -> list[int]:
    """The tokens that are learned."""
    return [token for token, label in zip(row.input_ids, row.labels, strict=True) if label != -100]


def write_result(job: Job, learn: list[Row], exam: list[Row], state: State) -> dict[str, Any]:
    """Adapter, probe, card and, last, the manifest."""
    job.report.phase("finishing", "Writing the model", step=state.step)
    shutil.rmtree(job.result, ignore_errors=True)
    job.result.mkdir()
    rank = int(job.order.settings["lora_rank"])
    adapter = fake_adapter(rank, job.order_sha256)
    (job.result / "adapter_model.safetensors").write_bytes(adapter)
    config = {"peft_type": "LORA", "r": rank, "base_model_name_or_path": job.order.base_model_name}
    (job.result / "adapter_config.json").write_text(json.dumps(config, indent=2))
    write_probe(job, learn + exam)
    (job.result / "README.md").write_text(f"# {job.order.model_name}\n\nMade by an example: it knows how to count.\n")
    figures = {
        "final_loss": state.losses[-1],
        "exam_loss": loss_of(state, exam) if exam else None,
        "steps": state.step,
        "tokens_per_s": state.tokens_seen / max(state.train_s, 1e-6),
        "peak_memory_mb": 10.0,
        "duration_s": round(state.train_s, 3),
        "size_mb": len(adapter) / 1e6,
    }
    job.finish_result(figures)
    return figures


if __name__ == "__main__":
    sys.exit(run(work))
