"""What the pages over the whole loop hold. Knows no request, asks no database."""

from dataclasses import dataclass
from typing import ClassVar

from goldsmith.web.job_lines import JobLine
from goldsmith.web.lately import LatelyLine
from goldsmith.web.needs import Need
from goldsmith.web.pages import Page
from goldsmith.web.parts import Interval, Step


@dataclass(frozen=True)
class Button:
    """What can be done; `is_post` is a write. The first of a card is the gold one."""

    label: str
    href: str
    is_post: bool = False


@dataclass(frozen=True)
class NextCard:
    """What to do next: a title, why, what happens then, buttons."""

    title: str
    why: str
    after: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True)
class Cell:
    """A step of the loop with its count."""

    label: str
    href: str
    icon: str
    look: str
    count: str
    unit: str
    fact: str
    is_now: bool


@dataclass(frozen=True)
class Exam:
    """The newest verdict's chart."""

    title: str
    finding: str
    rows: tuple[Interval, ...]
    num_rows: int
    href: str


@dataclass(frozen=True)
class HomePage(Page):
    """Where I am and what to do next."""

    template: ClassVar[str] = "home/home.html"
    current: ClassVar[str] = "home"
    heading: str
    is_empty: bool
    next: NextCard
    cells: tuple[Cell, ...]
    working: tuple[JobLine, ...]
    exam: Exam | None
    lately: tuple[LatelyLine, ...]


@dataclass(frozen=True)
class GuidedPage(Page):
    """The guided way: six steps, each with its decision."""

    template: ClassVar[str] = "home/guided.html"
    current: ClassVar[str] = "guide"
    lead: str
    figures: tuple[tuple[str, str | None, str], ...]
    steps: tuple[Step, ...]
    question: str
    what: str
    where: str
    words: tuple[tuple[str, str], ...]
    is_now: bool
    next: NextCard
    before: Button | None
    after: Button | None
    needs: tuple[Need, ...]
    address: str
