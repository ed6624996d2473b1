"""The page of settings, through HTTP, over a real database."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site
from tests.web.loop_rows import make_loop_site, walking
from tests.web.test_templates import Balance

from goldsmith.environments import folders
from goldsmith.environments.folders import Manifest
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.people import service as people
from goldsmith.serve import queries as serve
from goldsmith.serve import resting
from goldsmith.serve import service as serving
from goldsmith.serve.tables import Engine
from goldsmith.settings import Settings
from goldsmith.testing import FakeEngine
from goldsmith.web.models import handlers as models
from goldsmith.web.run import handlers as run
from goldsmith.web.settings import handlers
from goldsmith.web.settings.views import setting_lines, shown_value

PROVIDER = {"url": "https://api.example.com/v1/", "model": "large-1", "key": "sk-hidden", "output_usd_per_million": "2"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, run.pages, models.pages)
    yield made
    made.database.dispose()


def engines(site: Site) -> list[Engine]:
    with site.database.reading() as session:
        return serve.page(session, domain=site.person.domain)


def test_the_page_is_well_formed_and_says_what_is_set(site: Site) -> None:
    text = site.browser().get("/settings").text
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    assert len(balance.ids) == len(set(balance.ids))
    assert balance.headings.count(1) == 1
    assert balance.num_gold == 0
    assert "GOLDSMITH_ENGINE_PORT" in text
    assert "The first port that is tried for an engine of our own" in text
    assert 'href="/settings" aria-current="page"' in text


def test_a_setting_counts_as_set_when_it_differs_also_where_all_are_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in Settings(home=tmp_path, port=9001).to_environment().items():
        monkeypatch.setenv(name, value)
    lines = setting_lines(Settings())
    assert {line.name for line in lines if line.is_set} == {"GOLDSMITH_HOME", "GOLDSMITH_PORT"}


def test_a_password_in_an_address_is_not_shown() -> None:
    assert shown_value("postgresql+psycopg://ada:secret@db/goldsmith") == "postgresql+psycopg://***@db/goldsmith"
    assert shown_value(()) == "none"
    assert shown_value(False) == "no"


def test_a_provider_is_added_and_may_answer_a_run_at_once(site: Site) -> None:
    browser = site.browser()
    answer = browser.post("/settings/providers", data=PROVIDER)
    assert answer.headers["location"] == "/settings#engines"
    [engine] = engines(site)
    assert (engine.url, engine.provider_model, engine.output_usd_per_million) == (
        "https://api.example.com",
        "large-1",
        2.0,
    )
    path = site.home.secrets / f"engine-{engine.id}.key"
    assert path.read_text() == "sk-hidden\n"
    assert path.stat().st_mode & 0o777 == 0o600
    text = browser.get("/settings").text
    assert "large-1 at api.example.com" in text
    assert "$2.00 for answers" in text
    assert "not tested yet" in text
    assert "sk-hidden" not in text
    with walking(site) as walk:
        walk.bring_rows()
    assert "large-1" in browser.get("/runs/new").text


def test_what_cannot_be_used_comes_back_with_the_reason_and_without_the_key(site: Site) -> None:
    answer = site.browser().post("/settings/providers", data={**PROVIDER, "url": "ftp://nowhere"})
    assert answer.status_code == 422
    assert "is not an engine&#39;s address" in answer.text
    assert 'value="ftp://nowhere"' in answer.text
    assert 'value="large-1"' in answer.text
    assert "sk-hidden" not in answer.text
    assert engines(site) == []


def test_a_removed_provider_loses_its_key_and_is_offered_no_more(site: Site) -> None:
    browser = site.browser()
    browser.post("/settings/providers", data=PROVIDER)
    [engine] = engines(site)
    browser.post(f"/settings/engines/{engine.id}/remove")
    assert not (site.home.secrets / f"engine-{engine.id}.key").exists()
    assert "large-1" not in browser.get("/settings").text.split('id="toasts"')[0]
    with walking(site) as walk:
        walk.bring_rows()
    assert "large-1" not in browser.get("/runs/new").text


def test_an_attached_engine_is_no_longer_taken_once_it_is_removed(site: Site) -> None:
    browser = site.browser()
    assert "First bring its base model in" in browser.get("/settings").text
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        base_id = walk.base_id
    browser.post("/settings/attached", data={"url": "http://127.0.0.1:9", "base_model": base_id})
    [engine] = engines(site)
    with site.database.reading() as session:
        assert serve.engine_for(session, base_id) is not None
    browser.post(f"/settings/engines/{engine.id}/remove")
    with site.database.reading() as session:
        assert serve.engine_for(session, base_id) is None
        assert not any(found.is_wanted for found in serve.deployments(session, engine.id))


def test_an_engine_of_ours_gets_copies_and_places_and_a_wrong_number_comes_back(site: Site) -> None:
    browser = site.browser()
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        base_id = walk.base_id
    with site.database.transaction() as session:
        engine_id = serving.want_engine(session, base_id, by=site.person).id
    address = f"/settings/engines/{engine_id}/copies"
    assert "Engines with this base model" in browser.get("/settings").text
    assert browser.post(address, data={"num_copies": "2"}).status_code == 303
    assert [engine.num_copies for engine in engines(site) if engine.id == engine_id] == [2]
    refused = browser.post(address, data={"num_copies": "99"})
    assert refused.status_code == 422
    assert 'value="99"' in refused.text
    assert browser.post("/settings/engines/eng_none/copies", data={"num_copies": "2"}).status_code == 404
    places = f"/settings/engines/{engine_id}/places"
    assert browser.post(places, data={"num_places": "9"}).status_code == 303
    assert [engine.num_places for engine in engines(site) if engine.id == engine_id] == [9]
    assert browser.post(places, data={"num_places": "0"}).status_code == 422


def test_an_engine_at_rest_says_for_what_and_where_that_is_seen(site: Site) -> None:
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        base_id = walk.base_id
    with site.database.transaction() as session:
        engine = serving.want_engine(session, base_id, by=site.person)
        queue.add(session, NewJob("training", "Train warmth", {}, needs_slot=True), by=site.person)
        job = queue.claim(session, machine="here", slot="cpu")
        assert job is not None
        resting.begin(session, job, [engine])
        job_id = job.id
    browser = site.browser()
    for page in ("/settings", "/models"):
        text = browser.get(page).text
        assert "At rest for “Train warmth”, which has its memory now" in text
        assert f'href="/activity/{job_id}"' in text
        assert "Engine is at rest" in text
    with site.database.transaction() as session:
        queue.move(session, session.get_one(Job, job_id), JobState.FAILED, "it failed")
    assert "See how far it is" not in browser.get("/models").text


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("key", "model", "says"),
    [("right", "large-1", "It answered a short question in"), ("wrong", "large-1", "It refuses the key.")],
)
def test_a_test_says_what_came_of_it_and_keeps_it(site: Site, key: str, model: str, says: str) -> None:
    browser = site.browser()
    with FakeEngine("large-1", key="right") as provider:
        browser.post("/settings/providers", data={"url": provider.url, "model": model, "key": key})
        [engine] = engines(site)
        browser.post(f"/settings/engines/{engine.id}/test")
    assert says in browser.get("/settings").text
    assert says in browser.get("/settings").text  # not only in the toast


@pytest.mark.enable_socket
def test_a_test_of_an_address_where_nothing_is_says_so(site: Site) -> None:
    browser = site.browser()
    browser.post("/settings/providers", data={**PROVIDER, "url": "http://127.0.0.1:9"})
    [engine] = engines(site)
    browser.post(f"/settings/engines/{engine.id}/test")
    text = browser.get("/settings").text
    assert "Nothing answers there" in text
    assert "badge failed" in text


def test_a_key_is_shown_once_and_works_until_it_is_switched_off(site: Site) -> None:
    browser = site.browser()
    made = browser.post("/settings/keys", data={"label": "invoices"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    assert 'data-copy="new-key" hidden>Copy the key</button>' in made.text
    secret = re.search(r'value="(gsk_[^"]+)"', made.text)
    assert secret is not None
    assert secret[1] not in browser.get("/settings").text
    with site.database.reading() as session:
        assert people.holder_of(session, secret[1]) is not None
        key = next(key for key, _ in people.keys(session) if key.label == "invoices")
    assert browser.post(f"/settings/keys/{key.id}/revoke").status_code == 303
    page = browser.get("/settings").text
    assert "badge off" in page
    assert "switched off since" in page
    with site.database.reading() as session:
        assert people.holder_of(session, secret[1]) is None


def test_a_key_needs_to_say_what_it_is_for_and_one_that_is_not_there_cannot_be_revoked(site: Site) -> None:
    assert site.browser().post("/settings/keys", data={"label": " "}).status_code == 422
    assert site.browser().post("/settings/keys/key_none/revoke").status_code == 404


def test_a_key_s_limits_are_set_on_the_page(site: Site) -> None:
    browser = site.browser()
    browser.post("/settings/keys", data={"label": "invoices", "requests_per_minute": "1000", "tokens_per_minute": ""})
    assert "at most 1,000 requests a minute" in browser.get("/settings").text
    with site.database.reading() as session:
        key = next(key for key, _ in people.keys(session) if key.label == "invoices")
    address = f"/settings/keys/{key.id}/limits"
    assert browser.post(address, data={"parallel_requests": "4"}).status_code == 303
    assert "at most 4 at the same time" in browser.get("/settings").text
    refused = browser.post(address, data={"parallel_requests": "0", "requests_per_minute": "7"})
    assert refused.status_code == 422
    assert 'value="7"' in refused.text
    assert browser.post("/settings/keys/key_none/limits", data={}).status_code == 404
    assert browser.post(address, data={}).status_code == 303
    assert "at most" not in browser.get("/settings").text


def test_environments_are_buttons_with_size_and_minutes(site: Site) -> None:
    text = site.browser().get("/settings").text
    assert 'action="/setup/environments/trl"' in text
    assert re.search(r"on disk, about \d+ min|not measured on a machine like this", text)
    assert "Not for this machine: it needs an NVIDIA GPU." in text
    assert 'action="/setup/environments/vllm"' not in text


def test_an_installed_environment_is_shown_with_its_size_and_can_be_removed(site: Site) -> None:
    path = folders.path_of(EnvironmentName.TRL, home=site.home.root)
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").touch()
    folders.write_manifest(path, Manifest("trl", "x", "hash", "seen", "3.11.2", "2026-01-01", 77.0, 2_100_000_000, {}))
    browser = site.browser()
    assert "2.1 GB on disk, Python 3.11.2" in browser.get("/settings").text
    assert browser.post("/settings/environments/trl/remove").status_code == 303
    assert not path.exists()


def test_light_or_dark_and_single_keys_are_kept_in_the_browser(site: Site) -> None:
    browser = site.browser()
    assert "data-theme" not in browser.get("/settings").text
    browser.post("/settings/look", data={"theme": "dark"})
    text = browser.get("/settings").text
    assert '<html lang="en" data-theme="dark">' in text
    assert 'data-keys="off"' in text
    browser.post("/settings/look", data={"theme": "system", "single_keys": "true"})
    text = browser.get("/settings").text
    assert "data-theme" not in text
    assert "data-keys" not in text
    assert browser.post("/settings/look", data={"theme": "pink"}).status_code == 422


def test_an_open_page_asks_for_its_parts_alone(site: Site) -> None:
    part = site.browser().get("/settings?part=environments", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "Trainer" in part
