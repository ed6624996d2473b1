"""The playground in a browser: words appear as they come, what is starred is kept, and it can be stopped."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select
from tests.browser import every_page
from tests.browser.visitor import Visitor
from tests.web.conftest import Site

from goldsmith.run.tables import Answer, Run

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


def stream_of(model: str, end: str | None = "stop") -> str:
    """What an engine sends for a stream; without an end it breaks off."""
    words = (model[:3], " says", " <b>hi</b>")
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in words]
    if end is not None:
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": end}]})
        chunks.append({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}})
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + ("data: [DONE]\n\n" if end else "")


class Engine:
    """Answers in the gateway's place."""

    def __init__(self) -> None:
        self.end: str | None = "stop"
        self.asked: list[dict[str, Any]] = []
        self.is_silent = False

    def answer(self, route: Route) -> None:
        body: dict[str, Any] = json.loads(route.request.post_data or "{}")
        self.asked.append(body)
        if self.is_silent:
            return
        headers = {"content-type": "text/event-stream", "x-goldsmith-model": body["model"], "x-goldsmith-engine": "e"}
        route.fulfill(status=200, headers=headers, body=stream_of(body["model"], self.end))


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, engine: Engine) -> Iterator[tuple[Site, Page]]:
    with every_page.served(tmp_path / "home") as (site, address):
        every_page.done(site)
        visitor = Visitor.arrives(browser)
        visitor.page.goto(f"{address}/hello")
        visitor.page.get_by_label("Your name").fill(site.person.name)
        visitor.press("Begin")
        visitor.page.route("**/v1/chat/completions", engine.answer)
        visitor.page.goto(f"{address}/playground")
        visitor.page.get_by_label("Your message").fill("Where is my parcel?")
        yield site, visitor.page
        assert visitor.complaints == []
        visitor.page.context.close()


def test_an_answer_is_streamed_and_starred_with_the_keyboard_alone(opened: tuple[Site, Page], engine: Engine) -> None:
    site, page = opened
    page.keyboard.press("Control+Enter")
    right = page.locator("[data-side='1']")
    expect(right.locator("[data-text]")).to_have_text("ftm says <b>hi</b>")
    expect(right.locator("[data-facts]")).to_contain_text("4 tokens")
    assert [asked["stream"] for asked in engine.asked] == [True, True]
    page.locator("h1").click()
    page.keyboard.press("2")
    expect(right.locator(".badge")).to_have_text("gold star")
    expect(page.get_by_role("button", name="No star")).to_be_focused()
    with site.database.reading() as session:
        kept = select(Answer.text, Answer.answer_tokens).join(Run, Run.id == Answer.run_id)
        assert session.execute(kept.where(Run.kind == "playground")).all() == [("ftm says <b>hi</b>", 4)]


def test_an_answer_that_breaks_off_is_no_answer(opened: tuple[Site, Page], engine: Engine) -> None:
    page, engine.end = opened[1], None
    page.keyboard.press("Control+Enter")
    left = page.locator("[data-side='0']")
    expect(left.locator("[data-error]")).to_contain_text("The answer broke off.")
    expect(left.locator("[data-text]")).to_have_text("bm_ says <b>hi</b>")
    expect(left.get_by_role("button", name="Star this answer")).to_be_hidden()


def test_asking_can_be_stopped(opened: tuple[Site, Page], engine: Engine) -> None:
    page, engine.is_silent = opened[1], True
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-side='0'] [data-error]")).to_contain_text("You stopped it.")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
