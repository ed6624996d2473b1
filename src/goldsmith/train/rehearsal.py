"""What a training will take, foretold from a few real steps: which rows are rehearsed, and what follows. Pure.

Rehearsed are the longest rows, because memory runs out there, and usual ones, because time passes there. A step's
seconds are taken to be a + b times its tokens, fitted to the rehearsed steps but the first, in which libraries warm up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import Any, Final

from goldsmith.wire.events import Event, EventKind
from goldsmith.wire.rows import Row

LONG_STEPS: Final = 2
USUAL_STEPS: Final = 4
KEPT_CHECKPOINTS: Final = 3
"""The newest two, and the best."""
SAMPLES_SHARE: Final = 0.1
"""Sample answers may take this share of a training's time (`trainers/_samples.py`)."""
NEVER: Final = 10_000
OVERRIDES: Final[Mapping[str, Any]] = {
    "num_epochs": 1,
    "save_every_steps": NEVER,
    "evaluate_every_steps": 0,
    "patience": 0,
}
"""The settings of a rehearsal: each row once, one checkpoint and one exam at its end."""


@dataclass(frozen=True)
class Whole:
    """How large the whole training is. Tokens are those of the rows, padding not counted."""

    num_steps: int
    num_tokens: int
    num_exams: int
    num_exam_tokens: int
    num_checkpoints: int

    def to_dict(self) -> dict[str, int]:
        """As it is kept beside the order."""
        return asdict(self)


@dataclass(frozen=True)
class Weights:
    """What a checkpoint and the finished adapter take on disk, in bytes."""

    checkpoint_bytes: int
    result_bytes: int


@dataclass(frozen=True)
class Forecast:
    """What the training will take on this machine as it is now."""

    duration_s: float
    step_s: float
    """A usual step."""
    tokens_per_s: float
    peak_memory_mb: float
    disk_mb: float
    """Checkpoints that are kept, and the adapter."""
    num_steps: int
    num_rehearsed: int
    """Steps that were really done for it."""

    def to_dict(self) -> dict[str, Any]:
        """As a part of the job's result."""
        return asdict(self)


def chosen(learn: Sequence[Row], exam: Sequence[Row], settings: Mapping[str, Any]) -> tuple[list[Row], list[Row]]:
    """The rows that are rehearsed: the longest and those around the middle; of the exam the longest."""
    step = rows_a_step(settings)
    by_length = sorted(learn, key=lambda row: row.num_tokens)
    if len(learn) > (LONG_STEPS + USUAL_STEPS) * step:
        rest, longest = by_length[: -LONG_STEPS * step], by_length[-LONG_STEPS * step :]
        first = (len(rest) - USUAL_STEPS * step) // 2
        by_length = rest[first : first + USUAL_STEPS * step] + longest
    num_exam = 2 * int(settings.get("batch_size", 1))
    return by_length, sorted(exam, key=lambda row: row.num_tokens)[-num_exam:]


def rows_a_step(settings: Mapping[str, Any]) -> int:
    """Rows that move the adapter once."""
    return int(settings.get("batch_size", 1)) * int(settings.get("gradient_accumulation", 1))


def whole_of(learn: Sequence[Row], exam: Sequence[Row], settings: Mapping[str, Any]) -> Whole:
    """The size of the whole training with these settings."""
    a_round = -(-len(learn) // rows_a_step(settings))
    num_epochs = int(settings.get("num_epochs", 1))
    steps = range(1, a_round * num_epochs + 1)
    exams = {step for step in steps if step % a_round == 0 or _is_due(step, settings.get("evaluate_every_steps"))}
    saves = {step for step in steps if step % a_round == 0 or _is_due(step, settings.get("save_every_steps"))}
    return Whole(
        num_steps=len(steps),
        num_tokens=num_epochs * sum(row.num_tokens for row in learn),
        num_exams=len(exams) if exam else 0,
        num_exam_tokens=sum(len(row.input_ids) for row in exam),
        num_checkpoints=len(saves | exams) if exam else len(saves),
    )


def forecast(
    events: Sequence[Event], whole: Whole, num_exam_tokens: int, weights: Weights, *, beside_s: float = 0.0
) -> Forecast:
    """What follows from a rehearsal's events; `num_exam_tokens` are those that it scored.

    `beside_s` are the seconds that its job took before and behind the program: the training's job takes them as well.
    """
    steps = list(_steps(events))
    counted = steps[1:] if len(steps) > 1 else steps
    fixed_s, token_s = fit(counted)
    train_s = fixed_s * whole.num_steps + token_s * whole.num_tokens
    took = dict(_took(events))
    exam_s = took.get(EventKind.EVALUATED, 0.0) / max(num_exam_tokens, 1) * whole.num_exam_tokens
    samples_s = min(SAMPLES_SHARE * train_s, took.get(EventKind.SAMPLED, 0.0) * (whole.num_exams + 1))
    saves_s = took.get(EventKind.SAVED, 0.0) * whole.num_checkpoints
    around_s = beside_s + _seconds_around(events)
    figures = next(event.data for event in reversed(events) if event.kind is EventKind.SUCCEEDED)
    kept = min(KEPT_CHECKPOINTS, whole.num_checkpoints)
    return Forecast(
        duration_s=round(around_s + train_s + whole.num_exams * exam_s + samples_s + saves_s, 1),
        step_s=round(train_s / whole.num_steps, 3),
        tokens_per_s=round(whole.num_tokens / train_s, 1) if train_s else 0.0,
        peak_memory_mb=float(figures.get("peak_memory_mb") or 0.0),
        disk_mb=round((kept * weights.checkpoint_bytes + weights.result_bytes) / 1e6, 1),
        num_steps=whole.num_steps,
        num_rehearsed=len(steps),
    )


def fit(steps: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Seconds of a step without tokens, and of a token, by least squares over (tokens, seconds); never below 0."""
    if not steps:
        return 0.0, 0.0
    tokens, seconds = fmean(step[0] for step in steps), fmean(step[1] for step in steps)
    spread = sum((step[0] - tokens) ** 2 for step in steps)
    slope = sum((step[0] - tokens) * (step[1] - seconds) for step in steps) / spread if spread else 0.0
    fixed = seconds - slope * tokens
    if slope <= 0 or fixed < 0:
        return 0.0, seconds / tokens if tokens else 0.0
    return fixed, slope


def _steps(events: Iterable[Event]) -> Iterator[tuple[int, float]]:
    """(tokens, seconds) of every step."""
    seen = 0
    for event in events:
        if event.kind is EventKind.STEP:
            tokens = int(event.data["tokens_seen"]) - seen
            seen += tokens
            yield tokens, tokens / float(event.data["tokens_per_s"])


def _took(events: Sequence[Event]) -> Iterator[tuple[EventKind, float]]:
    """How long a checkpoint, the exam and its answers take: what usually passed since the event before each."""
    for kind in (EventKind.SAVED, EventKind.EVALUATED, EventKind.SAMPLED):
        seconds = [event.at - before.at for before, event in pairwise(events) if event.kind is kind]
        if seconds:
            yield kind, median(seconds)


def _seconds_around(events: Sequence[Event]) -> float:
    """Loading at the begin, the proof and the files at the end: what every training has once."""
    at = {str(event.data.get("name")): event.at for event in events if event.kind is EventKind.PHASE}
    begin, end = events[0].at, events[-1].at
    return max(0.0, at.get("training", begin) - begin) + max(0.0, end - at.get("finishing", end))


def _is_due(step: int, every: Any) -> bool:
    return bool(every) and step % int(every) == 0
