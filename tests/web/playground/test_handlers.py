"""The playground as a browser without JavaScript uses it, and as a program does."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.web.conftest import Site
from tests.web.loop_rows import make_loop_site, walking

from goldsmith.gateway.inside import Heard
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.serve import outside
from goldsmith.stars.tables import Mark
from goldsmith.web.playground import api, handlers


@dataclass
class Gateway:
    """Stands in for the gateway: says what it was told to say, and keeps what it was asked."""

    model_id: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    finish_reason: str = "stop"

    def ask(self, person: Person, bodies: Sequence[dict[str, Any]]) -> list[Heard]:
        self.bodies += bodies
        return [self.answer(body) for body in bodies]

    def answer(self, body: dict[str, Any]) -> Heard:
        headers = {"x-goldsmith-model": self.model_id, "x-goldsmith-engine": "eng_1"}
        if self.status != 200:
            return Heard(self.status, headers, b'{"error": {"message": "The engine went away. Try again."}}', 3.0)
        message = {"role": "assistant", "content": f"{body['model'][:3]} says <b>hi</b>"}
        choice = {"message": message, "finish_reason": self.finish_reason}
        usage = {"prompt_tokens": 9, "completion_tokens": 4}
        return Heard(200, headers, json.dumps({"choices": [choice], "usage": usage}).encode(), 312.0)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def site(tmp_path: Path, database_url: str, gateway: Gateway) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, database_url=database_url)
    made.web.state.web.offers["ask_models"] = gateway.ask
    made.web.include_router(api.api)
    yield made
    made.database.dispose()


@pytest.fixture
def live(site: Site, gateway: Gateway) -> str:
    """A base model and a tuned one are live."""
    with walking(site) as walk:
        walk.to_model()
        walk.deploy()
    gateway.model_id = walk.base_id
    return walk.base_id


def ask(browser: TestClient, base_id: str, **more: str) -> str:
    answer = browser.post("/playground", data={"a": base_id, "question": "Hello?", "temperature": "0.5", **more})
    assert answer.status_code == 200
    return answer.text


def carried(page: str) -> str:
    found = re.search(r'name="tried" value="([^"]*)"', page)
    assert found
    return unescape(found[1])


def test_without_a_model_it_says_how_to_get_one(site: Site) -> None:
    page = site.browser().get("/playground").text
    assert "No model is here yet" in page
    assert 'href="/models"' in page
    assert "<textarea" not in page


def test_without_a_live_model_it_says_what_to_press(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
    assert "No model is live yet" in site.browser().get("/playground").text


def test_the_base_and_what_was_trained_are_chosen_at_first(site: Site, live: str) -> None:
    page = site.browser().get("/playground").text
    assert re.findall(r'<option value="([a-z]+)_[0-9A-Z]+" selected', page) == ["bm", "ftm"]


def test_both_are_asked_the_same_through_the_gateway(site: Site, live: str, gateway: Gateway) -> None:
    page = ask(site.browser(), live, b=live, system_text="Be kind.", max_tokens="32")
    assert len(gateway.bodies) == 2
    assert gateway.bodies[0] == {
        "model": live,
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello?"}],
        "temperature": 0.5,
        "max_tokens": 32,
    }
    assert page.count("bm_ says &lt;b&gt;hi&lt;/b&gt;") >= 2
    assert page.count("4 tokens, 312 ms, ended by itself") == 2
    assert ">Hello?</textarea>" in page.replace("\n", "")


def test_nobody_on_the_right_is_not_asked(site: Site, live: str, gateway: Gateway) -> None:
    ask(site.browser(), live)
    assert len(gateway.bodies) == 1


def test_nothing_is_kept_by_asking(site: Site, live: str) -> None:
    ask(site.browser(), live)
    with site.database.reading() as session:
        assert session.scalars(select(Run).where(Run.kind == "playground")).all() == []


def test_a_star_keeps_the_answer_and_the_page_stays_as_it_was(site: Site, live: str) -> None:
    browser = site.browser()
    page = ask(browser, live, b=live)
    page = browser.post("/playground/said", data={"tried": carried(page), "side": "1", "verb": "star"}).text
    assert page.count("4 tokens, 312 ms, ended by itself") == 2
    assert "Starred. It goes into the next training set." in page
    sides = json.loads(carried(page))["sides"]
    assert [side["is_star"] for side in sides] == [False, True]
    with site.database.reading() as session:
        answer = session.get_one(Answer, sides[1]["answer_id"])
        assert (answer.text, answer.answer_tokens, answer.duration_ms) == ("bm_ says <b>hi</b>", 4, 312.0)
        assert answer.served_by == "eng_1"


def test_a_correction_takes_its_place_and_no_star_takes_it_back(site: Site, live: str) -> None:
    browser = site.browser()
    said = {"side": "0", "verb": "text", "text": "Good day."}
    page = browser.post("/playground/said", data={"tried": carried(ask(browser, live)), **said}).text
    assert "Your text is kept and starred." in page
    page = browser.post("/playground/said", data={"tried": carried(page), "side": "0", "verb": "unstar"}).text
    assert "No star any more." in page
    with site.database.reading() as session:
        marks = session.scalars(select(Mark).where(Mark.via == "playground").order_by(Mark.id)).all()
        assert [(mark.kind, mark.is_star, mark.correction) for mark in marks] == [
            ("correction", True, "Good day."),
            ("unstar", False, "Good day."),
        ]


def test_an_answer_that_did_not_come_says_why_and_offers_no_star(site: Site, live: str, gateway: Gateway) -> None:
    gateway.status = 503
    page = ask(site.browser(), live)
    assert "The engine went away. Try again." in page
    assert re.search(r"<span data-star hidden>", page)


def test_an_answer_that_was_cut_off_is_shown_as_such(site: Site, live: str, gateway: Gateway) -> None:
    gateway.finish_reason = "length"
    page = ask(site.browser(), live)
    assert "cut off at the longest length" in page
    assert "badge cut" in page


def test_what_is_missing_is_said_at_its_field(site: Site, live: str, gateway: Gateway) -> None:
    answer = site.browser().post("/playground", data={"a": live, "system_text": "Be kind.", "question": ""})
    assert answer.status_code == 422
    assert "This is needed." in answer.text
    assert "Be kind." in answer.text
    assert gateway.bodies == []


@pytest.mark.parametrize("tried", ["", "{", '{"sides": []}', '{"sides": [{"text": 3}, {}]}'])
def test_what_was_carried_is_checked(site: Site, live: str, tried: str) -> None:
    answer = site.browser().post("/playground/said", data={"tried": tried, "side": "0", "verb": "star"})
    assert answer.status_code == 422


def test_a_program_keeps_an_answer_with_its_star(site: Site, live: str) -> None:
    body = {"question": "Hello?", "model": live, "text": "Hi.", "finish_reason": "stop", "answer_tokens": 2}
    first, second = (site.program().post("/v1/playground/stars", json=body) for _ in range(2))
    assert first.status_code == 201
    assert first.json() == second.json()
    assert first.json()["is_star"] is True


def test_an_outside_model_can_be_asked_and_starred(site: Site, live: str, gateway: Gateway) -> None:
    with site.database.transaction() as session:
        engine = outside.add_provider(session, "https://api.example.com", model="large-1", by=site.person)
    gateway.model_id = engine.id
    browser = site.browser()
    assert "large-1" in browser.get("/playground").text
    page = ask(browser, engine.id)
    assert browser.post("/playground/said", data={"tried": carried(page), "side": "0", "verb": "star"}).is_success
