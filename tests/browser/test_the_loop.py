"""The whole loop in a browser, from `/`, by clicking only what the pages offer: no address typed, no command line."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.browser import steps
from tests.browser.place import Place
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


def test_a_person_walks_the_whole_loop_by_clicking(browser: Browser, goldsmith: Place, tmp_path: Path) -> None:
    visitor = Visitor.arrives(browser)
    steps.say_name(visitor, goldsmith)
    steps.bring_rows(visitor, goldsmith)
    steps.bring_model(visitor, goldsmith)
    steps.run(visitor)
    star_by_mouse(visitor, goldsmith)
    star_by_keys(visitor, goldsmith)
    steps.correct_the_rest(visitor)
    steps.make_set(visitor, goldsmith, tmp_path)
    steps.train(visitor)
    steps.deploy(visitor)
    steps.compare(visitor)
    steps.make_default(visitor)
    look_at_activity(visitor)
    assert visitor.complaints == []


def test_the_whole_loop_works_without_javascript(browser: Browser, goldsmith: Place, tmp_path: Path) -> None:
    visitor = Visitor.arrives(browser, has_script=False)
    steps.say_name(visitor, goldsmith)
    steps.bring_rows(visitor, goldsmith)
    steps.bring_model(visitor, goldsmith)
    steps.run(visitor)
    star_without_script(visitor, goldsmith)
    steps.correct_the_rest(visitor)
    steps.make_set(visitor, goldsmith, tmp_path)
    steps.train(visitor)
    steps.deploy(visitor)
    steps.compare(visitor)
    steps.make_default(visitor)
    set_everything(visitor)
    assert visitor.complaints == []


def star_by_mouse(visitor: Visitor, place: Place) -> None:
    """The first rows: choose what is right, press the star; the next row is there."""
    for number in (1, 2):
        steps.has_read(visitor, f"{number - 1} of 40 read")
        expect(visitor.page.locator("#row-now")).to_have_text(f"Row {number}")
        steps.set_fields(visitor, steps.expected_here(visitor, place))
        visitor.press("Save and star s")
        expect(visitor.page.locator("#row-now")).to_have_text(f"Row {number + 1}")
    steps.has_read(visitor, "2 of 40 read")
    visitor.reload()
    steps.has_read(visitor, "2 of 40 read")


def star_by_keys(visitor: Visitor, place: Place) -> None:
    """The same by hand on the keyboard alone: star, undo, edit as text, next, back, bad, note, all keys."""
    keyboard, row = visitor.page.keyboard, visitor.page.locator("#row-now")
    expect(row).to_have_text("Row 3")
    keyboard.press("s")
    expect(row).to_have_text("Row 4")
    steps.has_read(visitor, "3 of 40 read")
    keyboard.press("u")
    steps.has_read(visitor, "2 gold stars")
    expect(row).to_have_text("Row 3")
    right = steps.expected_here(visitor, place)
    keyboard.press("e")
    text = visitor.page.get_by_label("What the model should have said")
    expect(text).to_be_focused()
    keyboard.press("Control+a")
    keyboard.type(json.dumps(right))
    keyboard.press("Control+Enter")
    steps.has_read(visitor, "3 gold stars")
    expect(row).to_have_text("Row 4")
    keyboard.press("j")
    expect(row).to_have_text("Row 5")
    keyboard.press("k")
    expect(row).to_have_text("Row 4")
    keyboard.press("b")
    steps.has_read(visitor, "1 bad")
    expect(row).to_have_text("Row 5")
    keyboard.press("?")
    expect(visitor.page.get_by_role("dialog", name="Keys")).to_be_visible()
    keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog", name="Keys")).to_be_hidden()
    keyboard.press("n")
    expect(visitor.page.get_by_label("For other readers")).to_be_focused()
    keyboard.type("ask the support lead")
    keyboard.press("Enter")
    visitor.wait_for(visitor.page.locator("#note[value='ask the support lead']"))
    visitor.reload()


def star_without_script(visitor: Visitor, place: Place) -> None:
    """Star, correct, mark bad, take back, note: every write is a form."""
    visitor.wait_for(visitor.page.locator("#row-now"))
    steps.set_fields(visitor, steps.expected_here(visitor, place))
    visitor.press("Save and star s")
    steps.has_read(visitor, "1 of 40 read")
    visitor.press("Bad b")
    steps.has_read(visitor, "1 bad")
    visitor.press("Undo u", inside="#toasts")
    steps.has_read(visitor, "0 bad")
    right = steps.expected_here(visitor, place)
    visitor.unfold("Edit as text")
    visitor.page.get_by_label("What the model should have said").fill(json.dumps(right))
    visitor.press("Save this text and star")
    steps.has_read(visitor, "2 gold stars")
    visitor.unfold("Note")
    visitor.page.get_by_label("For other readers").fill("ask the support lead")
    visitor.press("Keep the note")
    visitor.wait_for(visitor.page.locator("#note[value='ask the support lead']"))


def look_at_activity(visitor: Visitor) -> None:
    """Every job is there, and each has a page with what happened."""
    visitor.menu("Activity")
    expect(visitor.page.locator("main .badge.succeeded").first).to_be_visible()
    assert visitor.page.locator("main .badge.failed").count() == 0
    visitor.page.locator("main section[aria-labelledby=all] .list a").first.click()
    visitor.sees("What happened")


def set_everything(visitor: Visitor) -> None:
    """The settings: a provider, a key, light or dark."""
    visitor.menu("Settings")
    visitor.unfold("Add a provider outside")
    visitor.page.get_by_label("Address").first.fill("http://127.0.0.1:9/v1")
    visitor.page.get_by_label("Name of the model there").fill("large-1")
    visitor.press("Add the provider")
    visitor.sees("large-1 at 127.0.0.1")
    line = visitor.page.locator("#engines li", has_text="large-1 at")
    visitor.follow(line.get_by_role("button", name="Test"))
    visitor.sees("Nothing answers there")
    line.locator("summary").click()
    visitor.follow(line.get_by_role("button", name="Remove it"))
    expect(visitor.page.locator("#engines li", has_text="large-1 at")).to_have_count(0)
    visitor.page.get_by_label("What it is for").fill("invoices")
    visitor.press("Make a key")
    visitor.sees("Copy it now")
    visitor.click("Back to the settings")
    visitor.page.get_by_role("radio", name="Dark", exact=True).check()
    visitor.press("Keep it")
    expect(visitor.page.locator("html[data-theme=dark]")).to_have_count(1)
