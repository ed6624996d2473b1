"""The page and the API of a rehearsal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.web.conftest import Site
from tests.web.loop_rows import make_loop_site, walking

from goldsmith.jobs.tables import Job
from goldsmith.web.train import api, handlers

FORECAST = {
    "duration_s": 754.0,
    "step_s": 1.2,
    "tokens_per_s": 210.4,
    "peak_memory_mb": 1610.0,
    "disk_mb": 93.0,
    "num_steps": 120,
    "num_rehearsed": 6,
}


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, api.api, database_url=database_url)
    yield made
    made.database.dispose()


@pytest.fixture
def form(site: Site) -> dict[str, str]:
    """What the form of a training would send."""
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        return {"training_set": walk.set_id, "base_model": walk.base_id, "num_epochs": "3"}


def begin(site: Site, form: dict[str, str]) -> str:
    answer = site.browser().post("/training/rehearse", data=form)
    assert answer.status_code == 303
    return str(answer.headers["location"]).split("?")[0]


def end(site: Site, **values: object) -> None:
    with site.database.transaction() as session:
        session.execute(update(Job).where(Job.kind == "rehearsal").values(**values))


def test_the_form_offers_it_where_a_training_could_start_and_a_wrong_number_comes_back(
    site: Site, form: dict[str, str]
) -> None:
    refused = site.browser().post("/training/rehearse", data={**form, "num_epochs": "0"})
    assert refused.status_code == 422
    assert 'value="0"' in refused.text


def test_it_waits_then_tells_what_the_training_takes_and_starts_it(site: Site, form: dict[str, str]) -> None:
    at = begin(site, {**form, "engines_rest": "never"})
    waiting = site.browser().get(at).text
    assert "It waits for its turn" in waiting
    engine = {"is_tried": True, "is_accepted": True, "load_s": 0.114}
    end(site, state="succeeded", result={"forecast": FORECAST, "engine": engine}, wanted_slot="gpu1")
    shown = site.browser().get(at).text
    for words in ("about 13 min", "1.6 GB", "120 steps", "The engine loaded the adapter in 0.11 s", "6 real steps"):
        assert words in shown, words
    for name, value in (("num_epochs", "3"), ("engines_rest", "never"), ("gpu", "1")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in shown
    assert 'action="/training/new"' in shown


def test_what_the_engine_refuses_is_not_offered_to_be_trained(site: Site, form: dict[str, str]) -> None:
    at = begin(site, form)
    refused = {"is_tried": True, "is_accepted": False, "because": "The rank is too high."}
    end(site, state="succeeded", result={"forecast": FORECAST, "engine": refused})
    shown = site.browser().get(at).text
    assert "The rank is too high." in shown
    assert 'action="/training/new"' not in shown


def test_where_memory_runs_out_the_smallest_change_is_rehearsed_next(site: Site, form: dict[str, str]) -> None:
    at = begin(site, form)
    failure = {"kind": "out_of_memory", "summary": "There was not enough memory.", "hint": "", "log_tail": ""}
    end(site, state="failed", failure=failure)
    shown = site.browser().get(at).text
    assert "4 instead of 8 rows at once" in shown
    assert '<input type="hidden" name="batch_size" value="4">' in shown
    assert '<input type="hidden" name="gradient_accumulation" value="2">' in shown
    assert 'action="/training/rehearse"' in shown


def test_the_api_begins_one_and_shows_it(site: Site, form: dict[str, str]) -> None:
    client = site.program()
    asked = {"base_model": form["base_model"], "training_set": form["training_set"], "num_epochs": 3}
    made = client.post("/v1/fine-tuning/rehearsals", json=asked)
    assert made.status_code == 201
    assert made.json()["forecast"] is None
    end(site, state="succeeded", result={"forecast": FORECAST, "engine": {"is_tried": False}})
    found = client.get(made.headers["location"]).json()
    assert found["forecast"] == FORECAST
    assert found["engine"]["is_tried"] is False
    assert client.get("/v1/fine-tuning/rehearsals/job_none").status_code == 404


def test_another_organisation_s_rehearsal_is_not_found(site: Site, form: dict[str, str]) -> None:
    at = begin(site, form)
    end(site, domain="elsewhere")
    assert site.browser().get(at).status_code == 404
