"""The steps of the loop as a person takes them, with and without JavaScript: each begins where the one before ended."""

import json
import re
from pathlib import Path

from playwright.sync_api import Locator, expect
from tests.browser.place import Place
from tests.browser.visitor import Visitor

from goldsmith.demo import story
from goldsmith.web.run.fields import text_of

FIELDS = text_of(story.ANSWER_SCHEMA) or ""
INSTRUCTIONS = "Read the message of a customer. Answer with its topic and its urgency as JSON."
MODEL = "support-1"
NUM_POINTS = """() => {
  const chart = window.Chart?.getChart(document.querySelector("figure.chart canvas"));
  return Math.max(0, ...(chart?.data.datasets ?? []).map((series) => series.data.length));
}"""
"""How many steps the curve shows."""


def say_name(visitor: Visitor, place: Place) -> None:
    """The first visit; the only time that an address is typed."""
    visitor.page.goto(f"{place.address}/")
    visitor.page.get_by_label("Your name").fill("花子 Ada")
    visitor.press("Begin")
    visitor.sees("Bring your rows in")


def bring_rows(visitor: Visitor, place: Place) -> None:
    """One's own file, with heads of one's own."""
    visitor.click("Start with mine")
    visitor.page.get_by_label("Drop a file here, or choose one").set_input_files(place.rows)
    visitor.press("Look at this file")
    visitor.sees("What is each column for?")
    visitor.reload()
    expect(visitor.page.get_by_label("Name", exact=True)).to_have_value("support messages.csv")
    choose(visitor, "ticket", "leave out")
    choose(visitor, "Message text", "input")
    choose(visitor, "right answer", "good answer")
    visitor.press("Import the rows")
    visitor.wait_for(visitor.page.get_by_role("link", name="Run a model over it"))
    visitor.reload()


def choose(visitor: Visitor, column: str, what: str) -> None:
    """Say what a column is for."""
    visitor.page.get_by_role("group", name=column).locator("label", has_text=what).click()


def bring_model(visitor: Visitor, place: Place) -> None:
    """A model that lies on this machine; the run's page says that there is none."""
    visitor.click("Run a model over it")
    visitor.sees("There is no model yet")
    visitor.click("Models page")
    visitor.unfold("Bring a model that lies on this machine")
    form = visitor.page.locator("main details", has_text="Bring a model that lies on this machine")
    form.get_by_label("Where it lies").fill(str(place.model))
    form.get_by_label("What it shall be called").fill("small-base")
    visitor.press("Import the model")
    visitor.wait_for(visitor.page.get_by_role("link", name="small-base", exact=True))
    visitor.reload()


def run(visitor: Visitor) -> None:
    """Ask the model about every row, after a look at three real questions."""
    visitor.menu("Guided way")
    visitor.sees("Which model answers, and what should it do?")
    visitor.click("Choose a model")
    visitor.page.get_by_role("textbox", name="Instructions").fill(INSTRUCTIONS)
    question = visitor.page.get_by_role("textbox", name="The question")
    question.fill("" if visitor.has_script else "{{Message text}}")
    if visitor.has_script:
        visitor.press("{{Message text}}")
    expect(question).to_have_value("{{Message text}}")
    visitor.page.get_by_role("textbox", name="Fields of the answer").fill(FIELDS)
    visitor.press("Show three real questions")
    visitor.sees("What it would ask")
    visitor.press("Start the run")
    visitor.page.wait_for_url("**/runs/run_*")
    visitor.reload()
    visitor.wait_for(visitor.page.locator("#how-far .badge.succeeded"))
    visitor.click("Read and star")


def expected_here(visitor: Visitor, place: Place) -> dict[str, str]:
    """What the row that is shown should be answered."""
    text = visitor.page.locator(".reader .message").first.inner_text()
    answer: dict[str, str] = json.loads(place.expected[text.strip()])
    return answer


def set_fields(visitor: Visitor, answer: dict[str, str]) -> None:
    """Choose the value of every field of the answer."""
    for name, value in answer.items():
        chips = visitor.page.locator("form#say fieldset", has_text=name)
        chips.locator(f"label.chip:has(input[value='{value}'])").click()


def has_read(visitor: Visitor, words: str) -> None:
    """Wait until the counts of the reading page say so."""
    expect(pace(visitor)).to_contain_text(words)


def pace(visitor: Visitor) -> Locator:
    """How far one has read."""
    return visitor.page.locator("#pace")


def correct_the_rest(visitor: Visitor) -> None:
    """By the column that says what is right; what was marked by hand is never touched."""
    visitor.click("Many at once")
    column = visitor.page.get_by_role("navigation", name="Columns").get_by_text("right answer")
    visitor.follow(column)
    visitor.sees("Correct the others from “right answer”")
    for begins, told in ((r"^Star \d+ answer", "starred"), (r"^Correct and star \d+ answer", "corrected and starred")):
        button = visitor.page.get_by_role("button", name=re.compile(begins))
        if button.count():
            visitor.follow(button)
            visitor.is_told(told)


def make_set(visitor: Visitor, place: Place, folder: Path) -> None:
    """Stars become a training set, which can be taken away as a file."""
    visitor.click("Make a training set")
    visitor.sees("Answers to read")
    visitor.reload()
    visitor.press("Make a training set")
    visitor.sees("Train a model with it")
    visitor.reload()
    lines = visitor.take_away("Rows to learn", folder / "learn.jsonl").splitlines()
    answers = {json.loads(line)["messages"][-1]["content"] for line in lines}
    assert len(lines) >= 20
    assert {json.dumps(json.loads(answer), sort_keys=True) for answer in answers} <= {
        json.dumps(json.loads(answer), sort_keys=True) for answer in place.expected.values()
    }


def train(visitor: Visitor) -> None:
    """Start the training, and see it learn."""
    visitor.click("Go to the training")
    visitor.page.get_by_label("Name of the new model").fill(MODEL)
    visitor.press("Train")
    visitor.page.wait_for_url("**/training/job_*")
    visitor.sees(MODEL)
    if visitor.has_script:
        expect(visitor.page.locator(".plot.is-drawn canvas")).to_be_visible()
        visitor.page.wait_for_function(f"() => ({NUM_POINTS})() >= 3")  # it grows by itself
        expect(visitor.page.locator(".meter").first).to_contain_text("Step")
        visitor.reload()
        expect(visitor.page.locator(".plot.is-drawn canvas")).to_be_visible()
    visitor.wait_for(visitor.page.locator(".head .badge.succeeded"))
    visitor.sees("Put support-1 on the engine")


def deploy(visitor: Visitor) -> None:
    """Put it on the engine; it is loaded, and then proved by itself."""
    visitor.press("Deploy")
    visitor.page.wait_for_url("**/models/ftm_*")
    visitor.reload()
    visitor.wait_for(visitor.page.locator(".ladder .badge.proved"))
    visitor.wait_for(visitor.page.locator(".receipt .badge.proved"))


def compare(visitor: Visitor) -> None:
    """Put it beside its base on the exam rows."""
    visitor.click("Compare")
    visitor.press("Compare")
    visitor.page.wait_for_url("**/model-comparison/cmp_*")
    visitor.reload()
    visitor.wait_for(visitor.page.locator(".verdict.better"))
    visitor.sees("Side by side")
    visitor.reload()


def make_default(visitor: Visitor) -> None:
    """Put it to work, and come home."""
    visitor.press("Make it the default")
    visitor.is_told("is the default now")
    visitor.wait_for(visitor.page.locator(".ladder .badge.default"))
    visitor.reload()
    visitor.menu("Home")
    visitor.sees(f"{MODEL} is at work")
    visitor.reload()
