"""Values that parts show, in charts, steppers and receipts. Made by the views of every step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MAX_POINTS = 500
Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """A line of a chart: `exam` is the gold one that the page is about, `learn` the grey one, others are dashed."""

    name: str
    look: Literal["exam", "learn", "second", "third"]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class LineChart:
    """Lines over the same axis; `x_max` is where the axis ends when the end is known."""

    x: str
    series: tuple[Series, ...]
    x_max: float | None = None

    def to_dict(self) -> dict[str, object]:
        """What the page's script draws."""
        lines = [{"name": each.name, "look": each.look, "points": each.points} for each in self.series]
        return {"x": self.x, "x_max": self.x_max, "series": lines}


@dataclass(frozen=True)
class Interval:
    """Something counted, with its 95 % interval; `low`, `at` and `high` go from 0 to 100."""

    name: str
    low: float
    at: float
    high: float
    value: str
    """What was counted: "36"."""
    rest: str
    """Of how many: "of 40 (77 to 96 %)"."""
    is_ours: bool = False
    """Whether this is the one that the page is about."""


@dataclass(frozen=True)
class Step:
    """A step of a guided way."""

    name: str
    state: Literal["done", "now", "later", "trouble"]
    fact: str
    href: str | None = None


@dataclass(frozen=True)
class ReceiptLine:
    """Something that a receipt checked; `is_ok` is None while it is not measured."""

    what: str
    value: str
    is_ok: bool | None
    note: str = ""


def thinned(points: Sequence[Point], limit: int = MAX_POINTS) -> tuple[Point, ...]:
    """At most `limit` of the points, evenly, the first and the last among them."""
    if len(points) <= limit:
        return tuple(points)
    step = (len(points) - 1) / (limit - 1)
    return tuple(points[round(index * step)] for index in range(limit))
