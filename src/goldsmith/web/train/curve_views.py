"""What the page of a learning curve shows. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from goldsmith.compare import statistics
from goldsmith.compare.more_stars import MoreStarsKind
from goldsmith.compare.tables import LearningCurve
from goldsmith.jobs.states import JobState
from goldsmith.train.shares import SHARE
from goldsmith.web import format as formats
from goldsmith.web.job_lines import JobLine
from goldsmith.web.pages import Page
from goldsmith.web.parts import Interval
from goldsmith.web.train.side_by_side import Measured, took_s

TITLES: Final = {
    MoreStarsKind.HELP: "More stars are likely to help",
    MoreStarsKind.NO_HELP: "More stars will not help here",
    MoreStarsKind.WORSE: "More stars of this kind make it worse",
    MoreStarsKind.NOT_KNOWN: "Not known yet",
    MoreStarsKind.TOO_FEW: "Too few exam rows to say",
    MoreStarsKind.NOT_MEASURED: "Nothing can be told",
}


@dataclass(frozen=True)
class CurveLine:
    """One training of a learning curve."""

    id: str
    share: str
    stars: str
    state: JobState
    right: str
    lowest: str
    took: str


@dataclass(frozen=True)
class CurvePage(Page):
    """A learning curve: the answer, what it was read from, and the trainings."""

    template: ClassVar[str] = "train/curve.html"
    current: ClassVar[str] = "training"
    id: str
    lead: str
    kind: str
    """Empty while there is no answer."""
    heading: str
    sentence: str
    evidence: str
    shares: tuple[Interval, ...]
    """Of each training that was asked: exam rows right, with their 95 % interval."""
    finding: str
    losses: str
    lines: tuple[CurveLine, ...]
    job: JobLine | None
    """The job that asks the exam, while it is at it."""
    group_id: str
    is_over: bool
    """Whether the trainings are."""


def curve_page(curve: LearningCurve, name: str, found: Sequence[Measured], job: JobLine | None) -> CurvePage:
    """The page of a learning curve of the training set of this name."""
    answer: Mapping[str, Any] = curve.answer or {}
    by_training = {point["training_id"]: point for point in curve.points or ()}
    shares = tuple(_interval(point, is_ours=point is (curve.points or [])[-1]) for point in _asked(curve))
    is_over = all(JobState(one.row.status).is_over for one in found)
    return CurvePage(
        title="Would more gold stars help?",
        id=curve.id,
        lead=_lead(curve, name, is_over=is_over),
        kind=str(answer.get("kind", "")),
        heading=TITLES[MoreStarsKind(answer["kind"])] if answer else "",
        sentence=str(answer.get("sentence", "")),
        evidence=str(answer.get("evidence", "")),
        shares=shares,
        finding="; ".join(f"{each.name}: {each.value} {each.rest}" for each in shares),
        losses=_losses(found),
        lines=tuple(_line(one, by_training.get(one.row.id, {})) for one in found),
        job=job if job is not None and not job.state.is_final else None,
        group_id=curve.group_id,
        is_over=is_over,
    )


def _asked(curve: LearningCurve) -> list[Mapping[str, Any]]:
    return [point for point in curve.points or () if "num_right" in point]


def _lead(curve: LearningCurve, name: str, *, is_over: bool) -> str:
    if curve.answer is not None:
        return f"Trainings on parts of {name}, each asked the same exam rows."
    if is_over:
        return "The trainings are over; now each is asked the exam. You can close this page; it goes on."
    return "One training after the other, then each is asked the exam. You can close this page; it goes on."


def _interval(point: Mapping[str, Any], *, is_ours: bool) -> Interval:
    num_right, num_rows = int(point["num_right"]), int(point["num_rows"])
    low, high = (100 * share for share in statistics.wilson_interval(num_right, num_rows))
    return Interval(
        name=formats.counted(int(point["num_learn"]), "star"),
        low=round(low, 1),
        at=round(100 * num_right / num_rows, 1),
        high=round(high, 1),
        value=str(num_right),
        rest=f"of {num_rows} exam rows right ({low:.0f} to {high:.0f} %)",
        is_ours=is_ours,
    )


def _losses(found: Sequence[Measured]) -> str:
    """How the loss on the exam rows goes with the stars: a hint where right answers say nothing."""
    told = [
        f"{formats.loss(min(loss for _, loss in one.exam))} with {formats.counted(one.row.sample_count, 'star')}"
        for one in found
        if one.exam
    ]
    if len(told) < 2:
        return ""
    return f"Lowest loss on the exam rows: {', '.join(told)}. Lower is better; a loss is a hint, no count."


def _line(one: Measured, point: Mapping[str, Any]) -> CurveLine:
    row = one.row
    asked = f"{point['num_right']} of {point['num_rows']}" if "num_right" in point else "not asked yet"
    return CurveLine(
        id=row.id,
        share=formats.share((row.differs or {}).get(SHARE)),
        stars=formats.number(row.sample_count),
        state=JobState(row.status),
        right=asked,
        lowest=formats.loss(min((loss for _, loss in one.exam), default=None)),
        took=formats.duration(took_s(row)),
    )
