"""The pages of a move: choose files, see what would become of them, bring them in, see what came of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.connect.openai.conftest import ASKED, EVAL, ROWS, RUN, chat
from tests.web.conftest import Site, make_site

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.web.factory import Routers
from goldsmith.web.jobs import handlers as activity
from goldsmith.web.moving import handlers

FILES = {
    "cards.jsonl": [chat("q", "a")],
    "eval.json": [EVAL],
    "runs.jsonl": [RUN],
    "rows.jsonl": ROWS,
    "in.jsonl": ASKED,
    "<b>other</b>.txt": [],
}
RESULT = {
    "parts": [
        {
            "name": "cards",
            "dataset_id": "ds_1",
            "run_id": "run_1",
            "training_set_id": "set_1",
            "num_rows": 2,
            "num_bad_rows": 1,
            "num_learn": 1,
            "num_exam": 0,
        },
        {"name": "Tickets", "error": "No row of it is in these files.", "hint": "Bring the file with its rows, too."},
    ]
}


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_site(tmp_path, Routers([handlers.pages, activity.pages]), database_url=database_url)
    yield made
    made.database.dispose()


def sent(names: list[str]) -> list[tuple[str, tuple[str, bytes]]]:
    lines = {name: "".join(json.dumps(each) + "\n" for each in FILES[name]) for name in names}
    return [("files", (name, text.encode())) for name, text in lines.items()]


def kept(page: str) -> list[str]:
    return re.findall(r'name="file" value="([^"]+)"', page)


def test_what_would_become_of_files_is_shown_and_nothing_is_made(site: Site) -> None:
    browser = site.browser()
    assert "Drop the files here" in browser.get("/from-openai").text
    page = browser.post("/from-openai/look", files=sent(list(FILES))).text
    for words in ("right answers of “label”", "never run here", "Batch in", "Star the answers of batches"):
        assert words in page
    assert "&lt;b&gt;other&lt;/b&gt;.txt is none of the files" in page
    assert len(kept(page)) == len(FILES)
    with site.database.reading() as session:
        assert jobs.page(session, domain="local") == []


def test_it_is_brought_in_as_it_was_shown(site: Site) -> None:
    browser = site.browser()
    page = browser.post("/from-openai/look", files=sent(["cards.jsonl", "in.jsonl"])).text
    answer = browser.post("/from-openai", data={"file": kept(page), "star_answers": "true"})
    assert answer.status_code == 303
    with site.database.reading() as session:
        (job,) = jobs.page(session, domain="local")
        assert answer.headers["location"].split("?")[0] == f"/from-openai/{job.id}"
        assert [part["is_starred"] for part in job.params["parts"]] == [True, True]
    assert "Bring 2 things from OpenAI" in browser.get("/from-openai").text
    assert "You can close this page" in browser.get(answer.headers["location"]).text


def test_files_of_which_nothing_can_be_made_say_what_to_bring(site: Site) -> None:
    page = site.browser().post("/from-openai/look", files=sent(["rows.jsonl"])).text
    assert "Nothing can be made of these files" in page
    assert "not the eval itself" in page
    assert "Bring it in" not in page


@pytest.mark.parametrize("file", ["../../secret x.jsonl", "0" * 64 + " gone.jsonl", ""])
def test_a_file_that_was_not_sent_is_refused(site: Site, file: str) -> None:
    assert site.browser().post("/from-openai", data={"file": [file]}).status_code == 404


def test_what_came_of_it_leads_to_each_thing(site: Site) -> None:
    browser = site.browser()
    job_id = moved(site, JobState.SUCCEEDED)
    page = browser.get(f"/from-openai/{job_id}").text
    assert "2 rows · 1 not taken · 1 to learn from, 0 as the exam" in page
    for address in ("/data/ds_1", "/runs/run_1", "/training-sets/set_1"):
        assert f'href="{address}"' in page
    assert "This could not be made" in page
    assert "its weights cannot be had" in page
    assert f"/from-openai/{job_id}" in browser.get("/activity").text


def test_one_that_failed_says_why_and_can_be_asked_for_again(site: Site) -> None:
    page = site.browser().get(f"/from-openai/{moved(site, JobState.FAILED)}").text
    assert "Tickets: No row of it" in page


def test_another_job_is_no_move(site: Site) -> None:
    with site.database.transaction() as session:
        job = queue.add(session, NewJob("import", "Import", {}), by=site.person)
    assert site.browser().get(f"/from-openai/{job.id}").status_code == 404


def moved(site: Site, state: JobState) -> str:
    """A move that is over."""
    with site.database.transaction() as session:
        params = {"parts": [], "notes": ["ft:x stays there: its weights cannot be had."]}
        job = queue.add(session, NewJob("move_in", "Bring 2 things from OpenAI", params), by=site.person)
        for step in (JobState.STARTING, JobState.RUNNING):
            queue.move(session, job, step, "test")
        if state is JobState.FAILED:
            queue.fail(session, job, JobFailure("no_rows", "Tickets: No row of it is in these files.", "Bring them."))
        else:
            queue.move(session, job, state, "test")
            job.result = dict(RESULT)
        return job.id
