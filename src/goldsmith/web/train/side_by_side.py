"""Trainings beside each other: their exam losses in one chart, their settings and figures in one table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from goldsmith.jobs.states import JobState
from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.web import format as formats
from goldsmith.web.pages import Page
from goldsmith.web.parts import LineChart, Series, thinned

MOST: Final = 4
_LOOKS: Final[tuple[Literal["exam", "learn", "second", "third"], ...]] = ("exam", "second", "third", "learn")


@dataclass(frozen=True)
class Measured:
    """A training with the points of its curve."""

    row: TrainingJob
    points: Sequence[TrainingMetric]
    settings: Mapping[str, str]
    """As the training's own page shows them."""

    @property
    def exam(self) -> list[tuple[float, float]]:
        """(step, loss on exam rows)."""
        return [(float(point.step), point.exam_loss) for point in self.points if point.exam_loss is not None]


@dataclass(frozen=True)
class Line:
    """A line of the table; `differs` where not all have the same value."""

    what: str
    values: tuple[str, ...]
    differs: bool


@dataclass(frozen=True)
class SideBySidePage(Page):
    """Some trainings beside each other."""

    template: ClassVar[str] = "train/side_by_side.html"
    current: ClassVar[str] = "training"
    heads: tuple[tuple[str, str, JobState], ...]
    """(id, name, state) of each."""
    chart: LineChart
    finding: str
    same_exam: bool
    """Whether all were measured on the same exam rows; only then their losses can be compared."""
    lines: tuple[Line, ...]


def side_by_side_page(found: Sequence[Measured]) -> SideBySidePage:
    """The page of these trainings, in this order."""
    series = (
        Series(one.row.name, look, thinned(one.exam)) for one, look in zip(found, _LOOKS[: len(found)], strict=True)
    )
    return SideBySidePage(
        title="Trainings side by side",
        heads=tuple((one.row.id, one.row.name, JobState(one.row.status)) for one in found),
        chart=LineChart("step", tuple(series)),
        finding=_finding(found),
        same_exam=len({one.row.training_set_id for one in found}) == 1,
        lines=tuple(_lines(found)),
    )


def _finding(found: Sequence[Measured]) -> str:
    ends = [(one.row.name, min(loss for _, loss in one.exam)) for one in found if one.exam]
    if not ends:
        return "Nothing is measured on exam rows yet."
    told = ", ".join(f"{name} {formats.loss(loss)}" for name, loss in sorted(ends, key=lambda end: end[1]))
    return f"Lowest loss on exam rows: {told}."


def _lines(found: Sequence[Measured]) -> list[Line]:
    rows = [one.row for one in found]
    names = list(dict.fromkeys(name for one in found for name in one.settings))
    lines = [
        _line("Base model", [row.base_model for row in rows]),
        _line("Rows learned", [formats.number(row.sample_count) for row in rows]),
        *(_line(name, [one.settings.get(name, "none") for one in found]) for name in names),
        _line("Steps", [formats.number(row.current_step) for row in rows]),
        _line("Time", [formats.duration(took_s(row)) for row in rows]),
        _line("Speed, tokens a second", [formats.number(row.tokens_per_second) for row in rows]),
        _line("Lowest loss on exam rows", [formats.loss(min((y for _, y in one.exam), default=None)) for one in found]),
        _line("Last loss on exam rows", [formats.loss(one.exam[-1][1] if one.exam else None) for one in found]),
    ]
    return sorted(lines, key=lambda line: not line.differs)


def _line(what: str, values: Sequence[str]) -> Line:
    return Line(what, tuple(values), len(set(values)) > 1)


def took_s(row: TrainingJob) -> float | None:
    """How long it took from its start to its end."""
    return (row.completed_at - row.started_at).total_seconds() if row.completed_at and row.started_at else None
