"""Home and the guided way, through HTTP, at every place of the loop."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site
from tests.web.loop_rows import Walk, make_loop_site, walking

from goldsmith.environments.locks import install_time_hint
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import queue
from goldsmith.jobs.types import JobFailure
from goldsmith.serve import queries
from goldsmith.serve import service as serve
from goldsmith.web.data import handlers as data
from goldsmith.web.home import handlers


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, data.pages, database_url=database_url)
    yield made
    made.database.dispose()


def to_run(walk: Walk) -> None:
    walk.bring_rows()
    walk.ask()


def to_stars(walk: Walk) -> None:
    to_run(walk)
    walk.star()


def to_set(walk: Walk) -> None:
    to_stars(walk)
    walk.export()


def to_training(walk: Walk) -> None:
    to_set(walk)
    walk.start_training()
    walk.run_training()


def to_failure(walk: Walk) -> None:
    to_training(walk)
    walk.fail_training()


def to_proof(walk: Walk) -> None:
    walk.to_model()
    walk.deploy()


def to_refusal(walk: Walk) -> None:
    walk.to_model()
    walk.deploy(proof="refused")
    queries.deployment_of(walk.session, walk.model_id).is_wanted = False


def to_verdict(walk: Walk) -> None:
    to_proof(walk)
    walk.start_comparison()
    walk.answer_arms(num_right={"base": 4, "examples": 5, "tuned": 14})
    walk.finish_comparison()


def to_default(walk: Walk) -> None:
    to_verdict(walk)
    serve.switch(walk.session, walk.model_id, by=walk.by)


PLACES: list[tuple[Callable[[Walk], None], str, str, int]] = [
    (lambda walk: None, "Bring your rows in", "/data/new", 1),
    (Walk.bring_rows, "Let a model answer your 60 rows", "/runs/new", 2),
    (to_run, "Give gold stars", "/stars/run_", 3),
    (to_stars, "Make a training set of your 60 gold stars", "/stars/export", 3),
    (to_set, "Train a model on 45 gold stars", "/training/new?training_set=set_", 4),
    (to_training, "support-triage-1 is learning", "/training/job_", 4),
    (to_failure, "This machine ran out of memory.", "/training/job_", 4),
    (Walk.to_model, "Put support-triage-1 on the engine", "/deploy", 5),
    (to_refusal, "support-triage-1 was refused", "/models/ftm_", 5),
    (to_proof, "Is support-triage-1 better?", "/model-comparison?model=ftm_", 6),
    (to_verdict, "Put support-triage-1 to work", "/default", 6),
    (to_default, "support-triage-1 is at work", "/runs/new?model=ftm_", 6),
]


@pytest.mark.parametrize(("walk_to", "title", "address", "step"), PLACES, ids=[place[1] for place in PLACES])
def test_home_and_the_guided_way_say_the_next_thing(
    site: Site, walk_to: Callable[[Walk], None], title: str, address: str, step: int
) -> None:
    with walking(site) as walk:
        walk_to(walk)
    browser = site.browser()
    home, guided = browser.get("/").text, browser.get("/fine-tuning").text
    assert title in home
    assert address in home
    assert home.count("button primary") == 1
    assert title in guided
    assert f"Step {step} of 6." in guided
    assert guided.count("button primary") <= 1


def test_an_empty_home_offers_sample_data_and_ones_own(site: Site) -> None:
    browser = site.browser()
    text = browser.get("/").text
    assert "Show me with sample data" in text
    assert "Start with mine" in text
    answer = browser.post("/data/sample")
    assert answer.headers["location"].startswith("/data/ds_")
    assert "Your rows are coming in" in browser.get("/").text


def test_the_loop_shows_counts_the_exam_and_what_happened_lately(site: Site) -> None:
    with walking(site) as walk:
        to_verdict(walk)
    text = site.browser().get("/").text
    assert "42 corrected" in text
    assert "better than the base model" in text
    assert "Right on the exam" in text
    assert "support-triage-1 was deployed" in text
    assert "14</b> of 15" in text


def test_the_guided_way_offers_what_is_missing_with_size_and_minutes(site: Site) -> None:
    with walking(site) as walk:
        walk.bring_rows()
    text = site.browser().get("/fine-tuning").text
    assert "The trainer is not installed yet" in text
    assert "Install the trainer first: it converts the model." in text
    assert "The engine is not installed yet" in text
    assert install_time_hint(EnvironmentName.TRL).sentence[1:] in text
    assert install_time_hint(EnvironmentName.VLLM_CPU).sentence[1:] in text


def test_one_can_look_at_another_step_and_come_back(site: Site) -> None:
    with walking(site) as walk:
        to_set(walk)
    browser = site.browser()
    text = browser.get("/fine-tuning?step=compare").text
    assert "Step 6 of 6." in text
    assert "This comes later" in text
    assert text.count("button primary") == 0
    assert "This step is done" in browser.get("/fine-tuning?step=data").text


def test_the_four_numbers_are_those_of_the_organisation(site: Site) -> None:
    with walking(site) as walk:
        to_verdict(walk)
    text = site.browser().get("/fine-tuning").text
    assert "Average win rate" in text
    assert "given, and not taken back" in text
    assert "83 %" in text


def test_a_dataset_whose_import_failed_is_not_what_the_loop_is_about(site: Site) -> None:
    browser = site.browser()
    browser.post("/data/sample")
    with site.database.transaction() as session:
        job = queue.claim(session, machine="here", slot=None)
        assert job is not None
        queue.fail(session, job, JobFailure("invalid", "All 3 rows are bad.", "Mend them."))
    page = browser.get("/").text
    assert re.findall("<h1[^>]*>([^<]*)", page) == ["A better model from your gold stars"]


def test_the_menu_can_be_asked_for_alone_and_marks_where_one_is(site: Site) -> None:
    browser = site.browser()
    menu = browser.get("/menu?at=data").text
    assert "<!doctype html>" not in menu
    assert 'href="/data" aria-current="page"' in menu
    assert "Engine is off" in menu
