"""Several trainings at once, on the pages: shown before they start, started together, beside each other."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site
from tests.web.loop_rows import make_loop_site, walking

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.storage import clock
from goldsmith.train import queries
from goldsmith.train.tables import TrainingJob, TrainingMetric
from goldsmith.web.train import handlers
from goldsmith.web.train.several_form import parsed


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, database_url=database_url)
    yield made
    made.database.dispose()


def ready(site: Site) -> dict[str, str]:
    """What the form sends for two learning rates and two ranks."""
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        form = {"training_set": walk.set_id, "base_model": walk.base_id, "name": "mail", "num_epochs": "3"}
    varied = {"vary_1": "learning_rate", "values_1": "0.0002, 0.0005", "vary_2": "lora_rank", "values_2": "8 16"}
    return {**form, "lora_rank": "8", **varied, "vary_3": "", "values_3": ""}


def started(site: Site) -> tuple[str, list[str]]:
    answer = site.browser().post("/training/several/start", data=ready(site))
    assert answer.status_code == 303
    group_id = answer.headers["location"].rpartition("/")[2]
    with site.database.reading() as session:
        return group_id, [row.id for row in queries.of_group(session, group_id)]


def test_they_are_shown_before_anything_starts_and_the_same_form_starts_them(site: Site) -> None:
    form, browser = ready(site), site.browser()
    answer = browser.post("/training/several", data=form)
    assert "4 trainings" in answer.text
    assert "Nothing tells yet how long they take" in answer.text
    with site.database.reading() as session:
        assert queries.page(session, domain=site.person.domain) == []
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.text)
    hidden = {name: html.unescape(value) for name, value in found if name in form}
    assert hidden == form
    assert "/training/several/start?backend=trl" in answer.text
    back = re.search(r'href="(/training/new[^"]*)"[^>]*>Back to the settings', answer.text)
    assert back is not None
    again = browser.get(html.unescape(back[1])).text
    assert 'value="0.0002, 0.0005"' in again  # nothing that was typed has to be typed again
    assert 'value="mail"' in again


def test_what_cannot_be_several_trainings_is_said(site: Site) -> None:
    form = {**ready(site), "values_1": "0.0002", "values_2": "8"}
    answer = site.browser().post("/training/several", data=form)
    assert answer.status_code == 422
    assert "Only one training would come of these values." in answer.text
    answer = site.browser().post("/training/several", data={**form, "num_epochs": "many"})
    assert (answer.status_code, "Try several values at once" in answer.text) == (422, True)
    assert site.browser().post("/training/several/start", data={**form, "num_epochs": "many"}).status_code == 422


def test_a_varied_dial_sets_the_numbers_that_the_form_has_in_every_field(site: Site) -> None:
    form = {**ready(site), "vary_1": "dial", "values_1": "quick, thorough", "vary_2": "", "values_2": ""}
    text = site.browser().post("/training/several", data=form).text
    assert "Epochs 2" in text
    assert "Epochs 8" in text
    answer = site.browser().post("/training/several/start", data=form)
    with site.database.reading() as session:
        rows = queries.of_group(session, answer.headers["location"].rpartition("/")[2])
        assert [(row.config["num_epochs"], row.config["lora_rank"]) for row in rows] == [(2, 8), (8, 16)]


def test_the_group_puts_them_beside_each_other_and_cancels_the_rest(site: Site) -> None:
    group_id, ids = started(site)
    browser = site.browser()
    text = browser.get(f"/training/groups/{group_id}").text
    assert "0 of 4 trainings are over" in text
    assert "Nothing is measured on exam rows yet." in text
    with site.database.transaction() as session:
        for number, training_id in enumerate(ids[:2]):
            job, row = jobs.one(session, training_id), session.get_one(TrainingJob, training_id)
            for state in (JobState.STARTING, JobState.RUNNING):
                queue.move(session, job, state, "test")
            for step, loss in ((5, 0.9), (10, 0.4 + number / 10)):
                session.add(TrainingMetric(job_id=row.id, attempt=1, step=step, exam_loss=loss, at=clock.now()))
            queue.finish(session, job, {})
    text = browser.get(f"/training/groups/{group_id}").text
    assert "2 of 4 trainings are over" in text
    assert "Lowest loss on exam rows: learning rate 0.0002, lora rank 8 0.400" in text
    assert "All settings side by side" in text
    answer = browser.post(f"/training/groups/{group_id}/cancel")
    assert answer.status_code == 303
    text = browser.get(f"/training/groups/{group_id}").text
    assert "Asked 2 of them to stop." in text
    assert "Cancel the rest" not in text
    assert f'href="/training/groups/{group_id}"' in browser.get(f"/training/{ids[0]}").text
    assert f'href="/training/groups/{group_id}"' in browser.get("/training").text


def test_values_are_read_however_they_are_separated() -> None:
    assert parsed(" 0.1,0.2; 0.3\n0.4 ") == ("0.1", "0.2", "0.3", "0.4")
    assert parsed(" , ") == ()
