"""The pages of models, through HTTP, over a real database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.factories import make_base_model
from tests.web.conftest import Site
from tests.web.loop_rows import Walk, make_loop_site, walking

from goldsmith.environments import folders
from goldsmith.environments.folders import Manifest
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.types import JobFailure
from goldsmith.models import queries as models
from goldsmith.serve import queries as serve
from goldsmith.serve import service as serve_service
from goldsmith.web.models import handlers
from goldsmith.web.run import handlers as run


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, database_url=database_url)
    yield made
    made.database.dispose()


def deployed(site: Site, *, proof: str = "proved", is_compared: bool = False) -> Walk:
    with walking(site) as walk:
        walk.to_model()
        walk.deploy(proof=proof)
        if is_compared:
            walk.start_comparison()
            walk.answer_arms(num_right={"base": 4, "examples": 5, "tuned": 14})
            walk.finish_comparison()
        return walk


def test_an_empty_list_offers_the_small_model_and_an_import(site: Site) -> None:
    text = site.browser().get("/models").text
    assert "/setup/environments/trl" in text
    assert "Install the trainer first" in text
    assert "Bring a model that lies on this machine" in text


def test_a_path_outside_the_allowed_folders_is_refused_in_a_sentence(site: Site) -> None:
    answer = site.browser().post("/models", data={"path": "/etc", "name": "mine"})
    assert answer.status_code == 403
    assert "/etc lies in none of the folders" in answer.text
    assert site.browser().post("/models", data={"path": "", "name": ""}).status_code == 422


def test_every_way_to_a_base_model_is_offered_and_explained(site: Site) -> None:
    text = site.browser().get("/models").text
    assert "There is no model yet" in text
    assert "Comes with Goldsmith" not in text  # it is offered above, once
    assert 'action="/models/hub"' in text
    assert "A model hub is a site on the internet" in text
    assert "GGUF file, which is converted first" in text
    with site.database.transaction() as session:
        make_base_model(session, by=site.person, name="Org/Small", source="hub", hub_id="Org/Small")
    text = site.browser().get("/models").text
    assert text.count('action="/setup/models/smollm2-135m-instruct"') == 1
    assert "Comes with Goldsmith: a small open model" in text
    with site.database.transaction() as session:
        make_base_model(session, by=site.person, name="smollm2-135m-instruct", source="builtin")
    assert "Comes with Goldsmith" not in site.browser().get("/models").text


def test_the_small_model_is_offered_by_one_button(site: Site) -> None:
    path = folders.path_of(EnvironmentName.TRL, home=site.home.root)
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").touch()
    folders.write_manifest(path, Manifest("trl", "x", "hash", "seen", "3.11.2", "2026-01-01", 77.0, 2_100_000_000, {}))
    text = site.browser().get("/models").text
    assert text.count('action="/setup/models/smollm2-135m-instruct"') == 1
    assert "Get it" not in text


def test_a_hubs_model_is_asked_for_by_a_form_and_its_failure_is_seen_here(site: Site) -> None:
    browser = site.browser()
    assert browser.post("/models/hub", data={"hub_id": "https://hub.example.org/Org/Small"}).status_code == 303
    assert "Get the model Org/Small" in browser.get("/models").text
    with site.database.transaction() as session:
        job = jobs.page(session, domain="local", kind="base_model_hub")[0]
        assert job.params == {"hub_id": "Org/Small", "revision": None, "name": "Org/Small"}
        failure = JobFailure("hub-access-denied", "Org/Small is gated.", "Keep a token with: goldsmith models token")
        queue.claim(session, machine="here", slot=None)
        queue.fail(session, job, failure)
    text = browser.get("/models").text
    assert "Org/Small is gated." in text
    assert "goldsmith models token" in text
    assert f'action="/activity/{job.id}/resume"' in text


def test_a_hub_id_that_is_none_is_refused_in_a_sentence(site: Site) -> None:
    browser = site.browser()
    answer = browser.post("/models/hub", data={"hub_id": "gpt2"})
    assert answer.status_code == 422
    assert "ORG/NAME" in answer.text
    assert browser.post("/models/hub", data={"hub_id": ""}).status_code == 422


def test_the_list_shows_how_every_model_stands(site: Site) -> None:
    walk = deployed(site)
    text = site.browser().get("/models").text
    assert f"/models/{walk.model_id}" in text
    assert f"/models/{walk.base_id}" in text
    assert "badge proved" in text
    assert "vLLM with smollm2-135m-instruct" in text


def test_a_model_that_is_not_deployed_has_one_gold_button(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
    browser = site.browser()
    page = f"/models/{walk.model_id}"
    text = browser.get(page).text
    assert f'action="{page}/deploy"' in text
    assert text.count("button primary") == 1
    assert "No receipt yet" in text
    assert browser.post(f"{page}/deploy").headers["location"] == page
    assert "waits for its engine" in browser.get(page).text
    assert browser.post(f"{page}/undeploy").status_code == 303


def test_before_the_first_default_there_was_nothing_so_no_undo_is_offered(site: Site) -> None:
    walk = deployed(site)
    browser, page = site.browser(), f"/models/{walk.model_id}"
    browser.post(f"{page}/default")
    text = browser.get(page).text
    assert "support-triage-1 is the default now." in text
    assert f'action="{page}/undo"' not in text


def test_a_proved_model_is_made_the_default_and_this_can_be_undone(site: Site) -> None:
    walk = deployed(site)
    browser, page = site.browser(), f"/models/{walk.model_id}"
    with site.database.transaction() as session:
        serve_service.switch(session, walk.base_id, by=site.person)
    assert "Make it the default" in browser.get(page).text
    browser.post(f"{page}/default")
    text = browser.get(page).text
    assert "support-triage-1 is the default now." in text
    assert f'action="{page}/undo"' in text
    assert "Back to smollm2-135m-instruct" in text
    browser.post(f"{page}/undo")
    with site.database.reading() as session:
        alias = serve.alias(session, domain="local", name="default")
        assert alias is not None
        assert alias.targets[0]["model_id"] == walk.base_id


def test_a_model_without_a_green_receipt_is_not_offered_as_the_default(site: Site) -> None:
    walk = deployed(site, proof="proving")
    browser, page = site.browser(), f"/models/{walk.model_id}"
    assert "Make it the default" not in browser.get(page).text
    assert browser.post(f"{page}/default").status_code == 409


def test_the_receipt_says_what_was_checked(site: Site) -> None:
    walk = deployed(site)
    text = site.browser().get(f"/models/{walk.model_id}").text
    assert "the engine finds the same probabilities" in text
    assert "Engine and trainer agree" in text
    assert "wanted: at most 0.05" in text
    assert "What these words mean" in text
    for word in ("rank", "probe", "log-probability, nats", "manifest.json"):
        assert f"<dt>{word}</dt>" in text


def test_metrics_have_a_unit_and_say_what_measured_them_or_that_nobody_did(site: Site) -> None:
    walk = deployed(site, is_compared=True)
    text = site.browser().get(f"/models/{walk.model_id}").text
    assert "14 of 15 (70 to 99 %)" in text
    assert "19.5 MB" in text
    assert f'href="/training/{walk.training_id}">training' in text
    assert "not measured" in text


def test_lineage_leads_from_the_rows_to_the_verdict(site: Site) -> None:
    walk = deployed(site, is_compared=True)
    text = site.browser().get(f"/models/{walk.model_id}").text
    for address in (
        "/data/ds_",
        f"/runs/{walk.run_id}",
        f"/training-sets/{walk.set_id}",
        f"/training/{walk.training_id}",
    ):
        assert address in text
    assert f"/models/{walk.base_id}" in text
    assert f"/model-comparison/{walk.comparison_id}" in text
    assert "put on the engine" in text


def test_a_base_model_shows_what_was_trained_from_it(site: Site) -> None:
    walk = deployed(site)
    text = site.browser().get(f"/models/{walk.base_id}").text
    assert "135 million parameters" in text
    assert f"/models/{walk.model_id}" in text
    assert site.browser().get("/models/ftm_x").status_code == 404


def test_running_it_over_a_dataset_begins_with_this_model_chosen(tmp_path: Path, database_url: str) -> None:
    site = make_loop_site(tmp_path, handlers.pages, run.pages, database_url=database_url)
    walk = deployed(site)
    text = site.browser().get(f"/runs/new?model={walk.base_id}").text
    assert f'value="{walk.base_id}" checked' in text
    site.database.dispose()


def test_a_model_at_a_provider_has_pages_without_what_needs_its_files(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
        walk.train_at_provider()
    browser = site.browser()
    text = browser.get(f"/models/{walk.model_id}").text
    assert "It lives at its provider" in text
    assert "ft:small-1:mail" in text
    assert "no provider tells that" in text
    assert "Take it out" not in text
    assert "Merge for speed" not in text
    with site.database.reading() as session:
        base_id = models.tuned(session, walk.model_id, domain="local").base_model_id
    base = browser.get(f"/models/{base_id}").text
    assert "known to its provider" in base
    assert "0 parameters" not in base
    assert base_id not in browser.get("/models").text
    for what in ("prove", "merge"):
        assert browser.post(f"/models/{walk.model_id}/{what}").status_code == 409
    assert browser.post(f"/models/{walk.model_id}/undeploy").status_code == 303
    assert "ft:small-1:mail" in browser.get(f"/models/{walk.model_id}").text
    assert browser.post(f"/models/{walk.model_id}/deploy").status_code == 303
