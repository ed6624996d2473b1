"""Merging a model, on its page and over the API."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.exporting import make_kept_model
from tests.factories import make_base_model
from tests.web.conftest import Site
from tests.web.loop_rows import make_loop_site

from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.serve import service as serving
from goldsmith.serve.merged import service
from goldsmith.serve.merged.speed import Speed
from goldsmith.web import waiting
from goldsmith.web.models import handlers

SPEED = Speed((20.0, 21.0, 19.0), (50.0, 52.5, 47.5), was_idle=True)


@pytest.fixture
def shown(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, database_url=database_url)
    yield made
    made.database.dispose()


@pytest.fixture
def client(site: Site, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)
    return site.program()


def make_model(site: Site) -> str:
    with site.database.transaction() as session:
        return make_kept_model(session, site.home, by=site.person).id


def add_merged(site: Site, model_id: str) -> str:
    """What the job would have made, deployed and measured."""
    with site.database.transaction() as session:
        base = make_base_model(session, by=site.person, name="Support triage-merged", source="merged")
        base.merged_from = model_id
        base.folder = "models/base/merged"
        (site.home.root / base.folder).mkdir()
        session.flush()
        serving.deploy(session, base.id, by=site.person)
        job = service.queue_speed(session, session.get_one(BaseModel, base.id), by=site.person)
        claimed = (queue.claim(session, machine="here", slot=f"cpu-{number}") for number in range(9))
        assert job.id in {each.id for each in claimed if each is not None}
        queue.move(session, job, JobState.RUNNING, "test")
        queue.finish(session, job, SPEED.to_dict())
        return base.id


def test_a_page_explains_merging_begins_it_and_shows_what_it_brought(shown: Site) -> None:
    model_id = make_model(shown)
    browser = shown.browser()
    assert "It needs an engine of its own" in browser.get(f"/models/{model_id}").text
    assert browser.post(f"/models/{model_id}/merge").status_code == 303
    assert f'action="/models/{model_id}/merge"' not in browser.get(f"/models/{model_id}").text
    base_id = add_merged(shown, model_id)
    text = browser.get(f"/models/{model_id}").text
    assert "Merged 50.0 tokens/s, with the adapter 20.0 tokens/s: 2.5 times as fast" in text
    assert f"/models/{base_id}" in text
    text = browser.get(f"/models/{base_id}").text
    assert "A fine-tuned model, merged" in text
    assert "2.5 times as fast" in text
    assert browser.post(f"/models/{model_id}/merge").status_code == 303  # deployed again


def test_a_program_merges_and_reads_what_it_brought(site: Site, client: TestClient) -> None:
    model_id = make_model(site)
    address = f"/v1/fine-tuning/models/{model_id}/merged"
    nothing = client.get(address).json()
    assert (nothing["merged_model"], nothing["state"], nothing["speed"]) == (None, None, None)
    asked = client.post(address)
    assert (asked.status_code, asked.json()["state"], asked.headers["location"]) == (202, "queued", address)
    base_id = add_merged(site, model_id)
    found = client.post(address)
    assert (found.status_code, found.json()["merged_model"], found.json()["proof"]) == (200, base_id, "unproved")
    speed = found.json()["speed"]
    assert (speed["adapter_tokens_per_second"], speed["merged_tokens_per_second"], speed["times"]) == (20.0, 50.0, 2.5)
    with site.database.reading() as session:
        assert service.look(session, session.get_one(FineTunedModel, model_id)).model is not None
