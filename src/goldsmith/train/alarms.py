"""What a person should know about a training before it is over: read from its curve, whatever trains. Pure.

Losses that are no numbers, or exactly 0, are not here: a trainer fails on them at once (`trainers/_watcher.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median
from typing import Final, Protocol

STEPS_BEFORE_NO_FALL: Final = 12
"""Steps before it is said that a loss does not fall: the first few rise and fall by the rows that they have."""
LEAST_FALL: Final = 0.01
"""A loss that has fallen by a smaller share than this has not fallen."""
LEARNED: Final = 0.05
"""A loss as small as this has nowhere to fall to."""
STEPS_BEFORE_EXPLODING: Final = 3
TIMES_USUAL: Final = 20.0
"""A gradient so many times as large as the middle of the earlier ones explodes, if the loss rises too."""
TIMES_FIRST: Final = 2.0
"""A loss so many times as large as that of the first step has exploded, however the gradient looks."""


class AlarmKind(StrEnum):
    """What is wrong."""

    no_fall = "no_fall"
    """The loss does not fall."""
    gradient_explodes = "gradient_explodes"
    """The steps are so large that they undo what was learned."""
    gradient_zero = "gradient_zero"
    """The gradient is 0, so nothing is learned."""
    exam_rises = "exam_rises"
    """The exam loss rises after it had fallen."""


class Point(Protocol):
    """A point of the curve. What was not measured is None."""

    step: int
    epoch: float | None
    loss: float | None
    exam_loss: float | None
    grad_norm: float | None


@dataclass(frozen=True)
class Best:
    """The lowest exam loss, and the step of the model that had it."""

    step: int
    exam_loss: float


@dataclass(frozen=True)
class Alarm:
    """A sentence, what it means, and what to do."""

    kind: AlarmKind
    step: int
    summary: str
    why: str
    hint: str
    offers_keep: bool = False
    """Whether to end now and keep the best checkpoint is a way out."""


def best_of(points: Sequence[Point]) -> Best | None:
    """Where the exam loss was lowest; None where it was never measured after a step."""
    scored = [(point.exam_loss, point.step) for point in points if point.exam_loss is not None and point.step > 0]
    return Best(min(scored)[1], min(scored)[0]) if scored else None


def alarms_of(points: Sequence[Point]) -> list[Alarm]:
    """What is wrong, the worst first."""
    found = (_explodes(points), _is_zero(points), _does_not_fall(points), _exam_rises(points))
    alarms = [alarm for alarm in found if alarm is not None]
    is_explained = any(alarm.kind in (AlarmKind.gradient_explodes, AlarmKind.gradient_zero) for alarm in alarms)
    return [each for each in alarms if not (is_explained and each.kind is AlarmKind.no_fall)]


def _explodes(points: Sequence[Point]) -> Alarm | None:
    steps = [(point.step, point.loss, point.grad_norm) for point in points if point.loss is not None]
    for place in range(STEPS_BEFORE_EXPLODING, len(steps)):
        step, loss, norm = steps[place]
        usual = median(each[2] or 0.0 for each in steps[:place])
        is_large = norm is not None and 0 < TIMES_USUAL * usual < norm and loss > steps[0][1]
        if is_large or loss > TIMES_FIRST * steps[0][1]:
            return Alarm(
                AlarmKind.gradient_explodes,
                step,
                f"The training has come apart at step {step:,}",
                f"The steps are so large that they undo what was learned: the loss is {loss:.3g}, and was "
                f"{steps[0][1]:.3g} at the first step"
                + (f"; the gradient is {norm:.3g}, usual was {usual:.3g}." if norm is not None else "."),
                "Cancel, and train again with a learning rate that is five times smaller.",
                offers_keep=best_of(points) is not None,
            )
    return None


def _is_zero(points: Sequence[Point]) -> Alarm | None:
    first = next((point for point in points if point.grad_norm is not None and point.grad_norm < 1e-12), None)
    if first is None:
        return None
    return Alarm(
        AlarmKind.gradient_zero,
        first.step,
        f"Nothing is learned: the gradient is 0 at step {first.step:,}",
        "The gradient says in which direction to move; where it is 0, the model stays as it is.",
        "Cancel. Look whether the rows have answers to learn, and whether LoRA alpha is large enough.",
    )


def _does_not_fall(points: Sequence[Point]) -> Alarm | None:
    losses = [(point.epoch, point.loss) for point in points if point.loss is not None]
    if len(losses) < STEPS_BEFORE_NO_FALL:
        return None
    first, last = _by_rounds(losses) or _by_thirds([loss for _, loss in losses])
    if last < LEARNED or last < (1 - LEAST_FALL) * first:
        return None
    exam = [point.exam_loss for point in points if point.exam_loss is not None]
    if len(exam) > 1 and min(exam) < (1 - LEAST_FALL) * exam[0]:
        return None
    step = next(point.step for point in reversed(points) if point.loss is not None)
    return Alarm(
        AlarmKind.no_fall,
        step,
        "It does not learn: the loss does not fall",
        f"It was {first:.3g} at first and is {last:.3g} now, after {step:,} steps.",
        "Cancel, and train again with a learning rate that is five times larger. If that is no help, look at the rows.",
    )


def _by_rounds(losses: Sequence[tuple[float | None, float]]) -> tuple[float, float] | None:
    """The mean losses of the first and the last whole round through the rows, which are the same rows."""
    rounds: dict[int, list[float]] = {}
    for epoch, loss in losses:
        if epoch is not None:
            rounds.setdefault(max(0, -int(-epoch // 1) - 1), []).append(loss)
    whole = [number for number in sorted(rounds) if len(rounds[number]) == len(rounds.get(0, []))]
    return (fmean(rounds[whole[0]]), fmean(rounds[whole[-1]])) if len(whole) > 1 else None


def _by_thirds(losses: Sequence[float]) -> tuple[float, float]:
    third = len(losses) // 3
    return fmean(losses[:third]), fmean(losses[-third:])


def _exam_rises(points: Sequence[Point]) -> Alarm | None:
    exam = [(point.step, point.exam_loss) for point in points if point.exam_loss is not None]
    best = best_of(points)
    if best is None or len(exam) < 2 or exam[-1][1] <= exam[-2][1]:
        return None
    step, loss = exam[-1]
    if best.step == step:
        return Alarm(
            AlarmKind.exam_rises,
            step,
            "It does worse on the exam rows than before it learned",
            f"The loss there was {exam[0][1]:.3g} at step {exam[0][0]:,} and is {loss:.3g} at step {step:,}.",
            "Wait for the next check. If it goes on rising, cancel, and train again with a smaller learning rate.",
        )
    return Alarm(
        AlarmKind.exam_rises,
        step,
        "It got worse on the exam rows at the last check",
        f"The loss there is {loss:.3g} at step {step:,}; the best was {best.exam_loss:.3g} at step {best.step:,}. "
        "Once is common. Several times in a row often means that the model starts to learn the rows by heart.",
        "Wait for the next check, or end now and keep the best.",
        offers_keep=True,
    )
