"""What waits for this machine: its order on the page and in the API, and how a person changes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site
from tests.web.loop_rows import MACHINE, make_loop_site, walking

from goldsmith.jobs import queries as jobs
from goldsmith.train.backends.trl import Trl
from goldsmith.train.expected import Expected
from goldsmith.train.recipe import EnginesRest
from goldsmith.web.train import handlers
from goldsmith.web.train.queue_views import takes_words
from goldsmith.web.train.start_form import start_fields, with_gpus, with_rest


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, database_url=database_url)
    yield made
    made.database.dispose()


def three(site: Site) -> list[str]:
    """Three trainings that wait."""
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        ids = []
        for name in ("first", "second", "third"):
            walk.start_training(name)
            ids.append(walk.training_id)
        return ids


def order(site: Site) -> list[str]:
    with site.database.reading() as session:
        return [job.id for job in jobs.line(session)]


def test_a_page_shows_the_order_and_its_buttons_change_it(site: Site) -> None:
    first, second, third = three(site)
    browser = site.browser()
    text = browser.get("/training/queue").text
    assert text.index("Train first") < text.index("Train second") < text.index("Train third")
    assert 'aria-label="Up: Train third"' in text
    assert 'aria-label="Up: Train first"' not in text
    assert "Nothing tells how long it takes; a rehearsal would" in text
    answer = browser.post(f"/training/queue/{third}/first")
    assert answer.headers["location"] == f"/training/queue#{third}"
    assert "It has place 1 now." in browser.get("/training/queue").text
    browser.post(f"/training/queue/{first}/down")
    assert order(site) == [third, second, first]
    assert browser.post(f"/training/queue/{first}/sideways").status_code == 422
    assert "3 jobs wait for this machine" in browser.get("/training").text


def test_when_nothing_waits_that_is_said(site: Site) -> None:
    assert "Nothing waits" in site.browser().get("/training/queue").text


def test_a_gpu_is_chosen_where_there_are_several() -> None:
    fields = start_fields(Trl(), {})
    assert "gpu" not in [field.name for field in with_gpus(fields, MACHINE.gpus)]
    (gpu,) = [field for field in with_gpus(fields, ("A", "B")) if field.name == "gpu"]
    assert [option.label for option in gpu.options] == ["Whichever is free first", "GPU 0: A", "GPU 1: B"]


def test_which_engines_rest_is_said_in_words_for_this_machine() -> None:
    for has_gpus, words in ((False, "None, because there is memory for both"), (True, "Those on the GPU that it gets")):
        (field,) = [
            each for each in with_rest(start_fields(Trl(), {}), has_gpus=has_gpus) if each.name == "engines_rest"
        ]
        assert (field.kind, next(option.label for option in field.options)) == ("select", words)
        assert [option.value for option in field.options] == [str(wish) for wish in EnginesRest]


def test_who_says_how_long_it_takes_is_told() -> None:
    assert takes_words(Expected(600.0, "rehearsal", "job_1")) == "Takes about 10 min, as its rehearsal told"
    assert takes_words(None) == "Nothing tells how long it takes; a rehearsal would"
    assert takes_words(None, is_training=False) == "Nothing tells how long it takes"
