"""`/design`: every part in every state. If a part is not there, it does not exist; it is the visual test too."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from goldsmith.jobs.states import JobState
from goldsmith.web.badges import BADGES
from goldsmith.web.forms import FormField, Option
from goldsmith.web.listing import Chip, Head, Pager
from goldsmith.web.pages import Page, render
from goldsmith.web.parts import Interval, LineChart, ReceiptLine, Series, Step

pages = APIRouter()

COLOURS = (
    ("bg", "the page"),
    ("surface", "cards"),
    ("sunken", "beside, below"),
    ("ink", "text"),
    ("ink-2", "second text"),
    ("ink-3", "captions"),
    ("gold", "star, the one action"),
    ("gold-ink", "gold as text"),
    ("info", "running, loaded"),
    ("good", "better, proved"),
    ("warn", "worse, cut off"),
    ("bad", "failed, error"),
)
_PACES = (
    Option("quick", "quick", "2 rounds, about 3 min"),
    Option("balanced", "balanced", "3 rounds, about 5 min"),
    Option("full", "full weights", "needs 6 GB more memory", is_possible=False),
)
FIELDS = (
    FormField("f1", "Name of the model", help="Callers use this name. It can never be changed.", value="support-1"),
    FormField(
        "f2",
        "Name of the model",
        value="default",
        error="“default” is reserved: it always means the model that callers get without a name. Choose another.",
    ),
    FormField("f3", "Note", is_required=False, attrs=(("placeholder", "why this answer is right"),)),
    FormField("f4", "Base model", "select", options=(Option("a", "smollm2-135m-instruct, 269 MB"),), value="a"),
    FormField("f5", "Rank", "number", "Locked: “train again exactly”.", "16", is_locked=True),
    FormField("f6", "Thoroughness", "choices", options=_PACES, value="balanced"),
    FormField("f7", "Stop early if the exam gets worse", "checkbox", value="true"),
    FormField(
        "f8", "Instructions", "textarea", "{{message}} is filled from the column of that name.", "Answer: {{message}}"
    ),
)
INTERVALS = (
    Interval("Base model", 18.1, 30, 45.4, "12", "of 40 (18 to 45 %)"),
    Interval("Base with 8 examples", 37.5, 52.5, 67.1, "21", "of 40 (38 to 67 %)"),
    Interval("support-1", 76.9, 90, 96, "36", "of 40 (77 to 96 %)", is_ours=True),
)
STEPS = (
    Step("Data", "done", "300 rows", "/design"),
    Step("Run", "trouble", "2 rows failed", "/design"),
    Step("Gold stars", "now", "choose what it learns from"),
    Step("Train", "later", "about 5 min"),
    Step("Serve", "later", "1 s"),
    Step("Compare", "later", "about 3 min"),
)
LOSS = LineChart(
    "step",
    (
        Series("exam rows", "exam", ((0, 1.66), (10, 0.46), (20, 0.17), (25, 0.21))),
        Series("learn rows", "learn", ((1, 1.62), (5, 1.1), (10, 0.52), (15, 0.3), (20, 0.15), (28, 0.11))),
    ),
    x_max=45,
)
RECEIPTS = {
    "proved": (ReceiptLine("Learn rows", "16 of 16", True), ReceiptLine("Exam rows", "16 of 16", True)),
    "proving": (ReceiptLine("Learn rows", "16 of 16", True), ReceiptLine("Exam rows", "9 of 16", None)),
    "refused": (ReceiptLine("Learn rows", "0 of 16", False, "Train again: the saved weights are zero."),),
}
HEADS = (Head("Row", "/design", "ascending"), Head("Message"), Head("Mark"), Head("Tokens", is_number=True))
CHIPS = (Chip("All", "/design", 160, is_current=True), Chip("Gold star", "/design", 95), Chip("Bad", "/design", 2))


@dataclass(frozen=True)
class DesignPage(Page):
    """Values that make every part show every state."""

    template: ClassVar[str] = "design.html"
    colours: tuple[tuple[str, str], ...]
    states: tuple[JobState, ...]
    other_badges: tuple[str, ...]
    fields: tuple[FormField, ...]
    intervals: tuple[Interval, ...]
    steps: tuple[Step, ...]
    loss: LineChart
    receipts: dict[str, tuple[ReceiptLine, ...]]
    heads: tuple[Head, ...]
    chips: tuple[Chip, ...]
    pager: Pager


@pages.get("/design")
def design(request: Request) -> HTMLResponse:
    """Every part in every state."""
    states = tuple(JobState)
    page = DesignPage(
        title="Every part in every state",
        colours=COLOURS,
        states=states,
        other_badges=tuple(name for name in BADGES if name not in set(states)),
        fields=FIELDS,
        intervals=INTERVALS,
        steps=STEPS,
        loss=LOSS,
        receipts=RECEIPTS,
        heads=HEADS,
        chips=CHIPS,
        pager=Pager("1 to 3 of 14 that match, 160 in all", None, "/design"),
    )
    return render(request, page)
