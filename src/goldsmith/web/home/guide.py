"""The guided way in words: what is decided in each step, what its words mean, how long it takes. Pure."""

from dataclasses import dataclass

from goldsmith.compare.loop import Figures, Loop, StepName
from goldsmith.web import format as formats
from goldsmith.web.home.cards import next_card
from goldsmith.web.home.cells import cells_of
from goldsmith.web.home.views import Button, NextCard
from goldsmith.web.parts import Step

ORDER = tuple(StepName)


@dataclass(frozen=True)
class Guide:
    """What is said about a step, whenever one looks at it."""

    name: str
    question: str
    what: str
    takes: str
    page: str
    words: tuple[tuple[str, str], ...]


GUIDES = {
    StepName.data: Guide(
        "Data",
        "What should the model answer?",
        "Bring a file with one row for each thing to answer. When good answers stand in it already, they become gold "
        "stars at once, and you go on with the third step.",
        "a minute",
        "/data",
        (
            ("Row", "One thing that a model should answer: a message, a question, a document."),
            ("Dataset", "All rows of a file. It never changes; another file makes another version."),
        ),
    ),
    StepName.run: Guide(
        "Run",
        "Which model answers, and what should it do?",
        "A model reads every row with your instructions and writes an answer. These first answers show what it can do "
        "already, and they are what you will star.",
        "some minutes",
        "/runs",
        (
            ("Model", "A program that has read much text and writes more of it. A base model is one as it was made."),
            ("Prompt", "Your instructions, with {{column}} where the row's text goes."),
            ("Engine", "The program that lets models answer on this machine, or a service outside."),
        ),
    ),
    StepName.stars: Guide(
        "Gold stars",
        "Which answers are what it should have said?",
        "Read answers and give a star to the right ones; correct the others, which gives them a star too. What you "
        "star is what the model learns, so this step decides how good it gets.",
        "as long as you like",
        "/stars",
        (
            ("Gold star", "Your mark that an answer, as written or as corrected, is what the model should have said."),
            ("Training set", "Your stars, as a file that never changes, with some of them kept back."),
            ("Exam", "The rows that are kept back. The model never learns them, so they show what it understood."),
        ),
    ),
    StepName.train: Guide(
        "Train",
        "Which model learns, and how thoroughly?",
        "The model practises writing your starred answers. What it learns becomes a small file beside it; the model "
        "itself stays as it is.",
        "minutes to hours",
        "/training",
        (
            ("Loss", "How wrong the model still is. It falls while it learns."),
            ("Epoch", "Once through all rows."),
            ("Adapter (LoRA)", "The small file that holds what was learned."),
        ),
    ),
    StepName.serve: Guide(
        "Serve",
        "Shall it answer from now on?",
        "Deploying puts the new model on the engine, without a restart. Then Goldsmith asks the engine for what was "
        "taught and writes a receipt: it is proved, or it is refused and taken off again.",
        "under a second, the proof a minute",
        "/models",
        (
            ("Loaded", "The engine lists the model and it answered."),
            ("Proved", "Its receipt is green: the engine serves what was trained."),
            ("Default", "What callers get who name no model."),
        ),
    ),
    StepName.compare: Guide(
        "Compare",
        "Is it really better?",
        "The base model, the base model with your best stars as examples, and the new model answer the exam rows. One "
        "sentence says what that shows, and how many rows stand behind it.",
        "some minutes",
        "/model-comparison",
        (
            ("95 % interval", "How far that number of rows can mislead. More rows make it shorter."),
            (
                "With examples",
                "Stars in the prompt instead of training. If that does as well, training was not needed.",
            ),
        ),
    ),
}


def steps_of(loop: Loop, shown: StepName) -> tuple[Step, ...]:
    """The stepper: what is done, where one is, what comes later and how long it takes."""
    now = ORDER.index(loop.next.step)
    cells = cells_of(loop)
    made = []
    for number, (step, cell) in enumerate(zip(ORDER, cells, strict=True)):
        guide, href = GUIDES[step], f"/fine-tuning?step={step.value}"
        is_trouble = loop.next.value.startswith(("mend", "look")) and number == now
        state = "trouble" if is_trouble else "now" if step is shown else "done" if number < now else "later"
        fact = f"{cell.count} {cell.unit}".strip() if number < now else guide.takes
        made.append(Step(guide.name, state, fact, href))  # type: ignore[arg-type]  # one of the four above
    return tuple(made)


def card_of(loop: Loop, shown: StepName) -> NextCard:
    """What to do in a step: the next thing where one is, else what can be done there already or again."""
    now = ORDER.index(loop.next.step)
    guide = GUIDES[shown]
    if ORDER.index(shown) == now:
        return next_card(loop)
    button = (Button(f"Open {guide.name}", guide.page),)
    if ORDER.index(shown) < now:
        return NextCard("This step is done", "You can look at it again, or do more of it.", "", button)
    before = GUIDES[loop.next.step].name
    return NextCard("This comes later", f"First: {before}. Nothing is lost if you look ahead.", "", button)


def where_of(loop: Loop, shown: StepName) -> str:
    """Where one is in a step, in one sentence."""
    cell = cells_of(loop)[ORDER.index(shown)]
    count = f"{cell.count} {cell.unit}".strip()
    if cell.count == "0":
        return f"{cell.fact}."
    return f"{count}: {cell.fact}." if cell.fact else f"{count}."


def beside(shown: StepName, distance: int) -> Button | None:
    """The step before or after."""
    place = ORDER.index(shown) + distance
    if not 0 <= place < len(ORDER):
        return None
    step = ORDER[place]
    return Button(GUIDES[step].name, f"/fine-tuning?step={step.value}")


def figures_of(figures: Figures) -> tuple[tuple[str, str | None, str], ...]:
    """The four numbers, for `parts/facts.html`."""
    rate = figures.average_win_rate
    return (
        ("Gold stars", formats.number(figures.num_stars), "given, and not taken back"),
        ("Active trainings", formats.number(figures.num_active_trainings), "at work now"),
        ("Deployed models", formats.number(figures.num_deployed), "fine-tuned, loaded"),
        (
            "Average win rate",
            formats.share(rate) if rate is not None else None,
            "against the base model; equal rows count half, so 50 % is no better"
            if rate is not None
            else "no comparison yet",
        ),
    )
