"""The pages of aliases, through HTTP, over a real database."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site
from tests.web.loop_rows import Walk, make_loop_site, walking

from goldsmith.serve import aliases, queries, rollouts, traffic
from goldsmith.serve.counts import Counts, TrafficKey
from goldsmith.serve.types import Part, parts_of
from goldsmith.web.serve import handlers


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, database_url=database_url)
    yield made
    made.database.dispose()


@pytest.fixture
def walk(site: Site) -> Walk:
    with walking(site) as walk:
        walk.to_model()
        walk.deploy()
        return walk


def leads_to(site: Site, name: str = "support") -> tuple[Part, ...]:
    with site.database.reading() as session:
        return parts_of(aliases.one(session, name, domain="local").targets)


def test_without_a_model_on_an_engine_no_alias_is_offered(site: Site) -> None:
    text = site.browser().get("/aliases").text
    assert "No alias yet" in text
    assert 'action="/aliases"' not in text


def test_an_alias_is_made_shared_out_undone_and_removed_without_javascript(site: Site, walk: Walk) -> None:
    browser = site.browser()
    made = browser.post("/aliases", data={"name": "support", "model": walk.base_id})
    assert (made.status_code, made.headers["location"]) == (303, "/aliases/support")
    page = browser.get("/aliases/support").text
    assert f'name="share.{walk.base_id}" type="number" value="100"' in page
    shares = {f"share.{walk.base_id}": "95", f"share.{walk.model_id}": "5", "why": "a first try"}
    assert browser.post("/aliases/support", data=shares).status_code == 303
    assert set(leads_to(site)) == {Part(walk.base_id, 0.95), Part(walk.model_id, 0.05)}
    page = browser.get("/aliases/support").text
    assert "a first try" in page
    assert "Back to smollm2-135m-instruct" in page
    assert browser.post("/aliases/support/undo").status_code == 303
    assert leads_to(site) == (Part(walk.base_id, 1.0),)
    assert browser.post("/aliases/support/remove").status_code == 303
    page = browser.get("/aliases/support").text
    assert "This name was removed" in page
    browser.post("/aliases/support/undo")
    assert leads_to(site) == (Part(walk.base_id, 1.0),)


@pytest.mark.parametrize(("old", "new"), [("95", "6"), ("", ""), ("half", "half"), ("-5", "100")])
def test_shares_that_do_not_add_up_are_refused_in_a_sentence(site: Site, walk: Walk, old: str, new: str) -> None:
    browser = site.browser()
    browser.post("/aliases", data={"name": "support", "model": walk.base_id})
    shares = {f"share.{walk.base_id}": old, f"share.{walk.model_id}": new}
    answer = browser.post("/aliases/support", data=shares)
    assert answer.status_code == 422
    assert leads_to(site) == (Part(walk.base_id, 1.0),)


def test_a_model_that_is_not_proved_is_taken_only_by_its_name(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
        walk.deploy(proof="proving")
        aliases.make(walk.session, "support", Part(walk.base_id, 1.0), by=walk.by)
        name = queries.model_names(walk.session)[walk.model_id]
    browser = site.browser()
    shares = {f"share.{walk.base_id}": "", f"share.{walk.model_id}": "100"}
    assert browser.post("/aliases/support", data=shares).status_code == 409
    assert "nothing proved them" in browser.get("/aliases/support").text
    assert browser.post("/aliases/support", data={**shares, "force": f"other, {name}"}).status_code == 303
    assert "forced without proof" in browser.get("/aliases/support").text


def test_a_name_that_cannot_be_used_is_said(site: Site, walk: Walk) -> None:
    browser = site.browser()
    assert browser.post("/aliases", data={"name": "", "model": walk.base_id}).status_code == 422
    assert browser.post("/aliases", data={"name": "Two Words", "model": walk.base_id}).status_code == 422
    assert browser.get("/aliases/nobody").status_code == 404
    assert browser.post("/aliases/nobody", data={f"share.{walk.base_id}": "100"}).status_code == 404


def test_a_roll_out_is_begun_watched_taken_on_and_rolled_back_by_clicks(site: Site, walk: Walk) -> None:
    browser = site.browser()
    browser.post("/aliases", data={"name": "support", "model": walk.base_id})
    assert "Roll a new model out" in browser.get("/aliases/support").text
    asked = {"model": walk.model_id, "steps": "5, 25, 100", "hold_minutes": "", "min_requests": "50"}
    assert browser.post("/aliases/support/rollout", data=asked).status_code == 303
    text = browser.get("/aliases/support").text
    assert "Go on to 25 %" in text
    assert "Roll a new model out" not in text
    assert browser.post("/aliases/support/rollout", data=asked).status_code == 409
    assert browser.post("/aliases/support/rollout/continue").status_code == 303
    assert set(leads_to(site)) == {Part(walk.base_id, 0.75), Part(walk.model_id, 0.25)}
    with site.database.transaction() as session:
        rollout = rollouts.current(session, "support", domain="local")
        key = TrafficKey(int(time.time() // 60), "local", "support", rollout.first_version, walk.model_id)
        traffic.store(session, "tw_1", {key: Counts(num_requests=12, num_errors=3)})
    text = browser.get("/aliases/support").text
    assert "3 of 12 (25.0 %)" in text
    assert browser.post("/aliases/support/rollout/back").status_code == 303
    assert leads_to(site) == (Part(walk.base_id, 1.0),)
    text = browser.get("/aliases/support").text
    assert "Rolled back by Ada." in text
    assert "rolled back" in text
    assert browser.post("/aliases/support/rollout/continue").status_code == 404


@pytest.mark.parametrize("more", [{"steps": "50, 20"}, {"steps": "five"}, {"steps": ""}, {"min_requests": "0"}])
def test_steps_that_do_not_grow_are_refused_in_a_sentence(site: Site, walk: Walk, more: dict[str, str]) -> None:
    browser = site.browser()
    browser.post("/aliases", data={"name": "support", "model": walk.base_id})
    asked = {"model": walk.model_id, "steps": "5, 25, 100", "min_requests": "50", **more}
    answer = browser.post("/aliases/support/rollout", data=asked)
    assert answer.status_code == (303 if more == {"steps": ""} else 422)
