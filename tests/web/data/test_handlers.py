"""The pages of datasets, through HTTP, over a real database; imports are worked off by the real worker."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.factories import make_dataset_version, make_prompt_version, make_run
from tests.web.conftest import Site, make_site

from goldsmith.data import queries as data_queries
from goldsmith.data.jobs import ImportKind
from goldsmith.data.tables import Dataset
from goldsmith.jobs import queries, queue
from goldsmith.jobs.kinds import JobKind
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure, StageOutcome
from goldsmith.jobs.worker import Worker
from goldsmith.stars.jobs import ImportedAnswersKind
from goldsmith.web.data import handlers
from goldsmith.web.factory import Routers

CSV = b"message,right answer\nWhere is it?,delivery\nToo dear,billing\n"


@pytest.fixture
def data_site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    site = make_site(tmp_path, Routers([handlers.pages]), database_url=database_url)
    yield site
    site.database.dispose()


def look_at(client: TestClient, content: bytes, filename: str = "tickets.csv") -> str:
    """Send a file; the address of its preview."""
    answer = client.post("/data/preview", files={"file": (filename, content)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def chosen(page: str, **roles: str) -> dict[str, str]:
    """The import form of a preview as a browser would send it, with other roles for some columns."""
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.split('id="import"')[1]))
    picked = dict(re.findall(r'name="(role-\d+)" value="(\w+)" checked', page))
    of = {text: name.replace("column", "role") for name, text in hidden.items() if name.startswith("column-")}
    return hidden | picked | {of[column]: role for column, role in roles.items()}


def work_off(site: Site) -> None:
    """Do what is queued, as the supervisor and its workers would."""
    kinds: dict[str, JobKind] = {
        kind.name: kind for kind in (ImportKind(memory_limit_bytes=None), ImportedAnswersKind())
    }
    while True:
        with site.database.transaction() as session:
            job = queue.claim(session, machine="m", slot=None)
            if job is None:
                return
            stage = kinds[job.kind].stages[0].name
            queue.begin_stage(session, job, stage)
            job_id, lease = job.id, job.lease_number
        with site.database.transaction() as session:
            queue.move(session, queries.one(session, job_id), JobState.RUNNING, "its program was started")
        assert Worker(site.database, site.home, kinds).work(job_id, stage, lease) == 0
        with site.database.transaction() as session:
            done = queries.one(session, job_id)
            if done.stage_outcome == StageOutcome.FAILED.value:
                queue.fail(session, done, JobFailure(**(done.failure or {})))
            else:
                queue.finish(session, done)


def test_an_empty_house_offers_a_file_and_the_sample(data_site: Site) -> None:
    page = data_site.browser().get("/data").text
    assert "No rows yet" in page
    assert "From 5 gold stars on" in page
    assert 'action="/data/sample"' in page


def test_a_file_is_looked_at_before_anything_is_saved(data_site: Site) -> None:
    client = data_site.browser()
    page = client.get(look_at(client, CSV)).text
    assert "Where is it?" in page
    assert "comma" in page
    assert chosen(page)["role-0"] == "input"
    assert chosen(page)["role-1"] == "answer"
    with data_site.database.reading() as session:
        assert data_queries.page(session, domain=data_site.person.domain) == []


def test_bad_rows_are_listed_and_the_good_ones_shown(data_site: Site) -> None:
    client = data_site.browser()
    page = client.get(look_at(client, b'{"a": "1"}\n{"a": \n{"a": "3"}\n', "rows.jsonl")).text
    assert "1 row of the first ones cannot be used" in page
    assert "Row 2" in page


def test_bad_rows_beyond_the_first_ten_are_counted_and_folded(data_site: Site) -> None:
    client = data_site.browser()
    bad = b'{"a": \n' * 44
    page = client.get(look_at(client, b'{"a": "1"}\n' + bad, "rows.jsonl")).text
    assert "44 rows of the first ones cannot be used" in page
    assert "<summary>34 more</summary>" in page
    assert "Row 45" in page.split("<summary>34 more</summary>")[1]


def test_a_file_of_which_no_row_can_be_used_is_not_offered_for_import(data_site: Site) -> None:
    client = data_site.browser()
    page = client.get(look_at(client, b"a;b;c\n1,2,3\n4,5,6\n")).text
    assert "No row can be used as it is read now." in page
    assert 'type="submit" form="import"' not in page
    assert '<details class="explain" open><summary>Read it otherwise</summary>' in page


def test_a_file_keeps_the_name_that_it_has(data_site: Site) -> None:
    client = data_site.browser()
    for name in ("support messages.csv", "50 % + more.csv", "問い合わせ.csv"):
        page = client.get(look_at(client, b"question;answer\n1;2\n", filename=name)).text
        assert f'name="name" form="import" maxlength="255" value="{name}"' in page


def test_a_preview_can_be_read_otherwise(data_site: Site) -> None:
    client = data_site.browser()
    address = look_at(client, "städte;größe\nKöln;groß\n".encode("cp1252"))
    assert "größe" in client.get(address + "&encoding=cp1252").text
    assert client.get(address + "&encoding=nonsense").status_code == 422


def test_import_keeps_the_chosen_columns_and_the_page_shows_rows_and_what_is_next(data_site: Site) -> None:
    client = data_site.browser()
    page = client.get(look_at(client, b"message,channel,right answer\nhi,web,other\n")).text
    answer = client.post("/data/import", data=chosen(page, channel="out"))
    assert answer.status_code == 303
    assert "Import tickets.csv" in client.get(answer.headers["location"]).text
    work_off(data_site)
    shown = client.get(answer.headers["location"]).text
    assert "Run a model over it" in shown
    assert "channel" not in shown
    assert "good answers in “right answer”" in shown


def test_good_answers_become_stars_at_once_when_asked_for(data_site: Site) -> None:
    client = data_site.browser()
    form = chosen(client.get(look_at(client, CSV)).text) | {"star_answers": "true"}
    address = client.post("/data/import", data=form).headers["location"]
    work_off(data_site)
    assert "2 good answers came with this file" in client.get(address).text


@pytest.mark.parametrize("roles", [{"message": "out"}, {"message": "answer"}])
def test_columns_that_make_no_sense_are_refused(data_site: Site, roles: dict[str, str]) -> None:
    client = data_site.browser()
    form = chosen(client.get(look_at(client, CSV)).text, **roles)
    answer = client.post("/data/import", data=form)
    assert answer.status_code == 422
    assert "input" in answer.text or "good answer" in answer.text


def test_rows_can_be_pasted(data_site: Site) -> None:
    client = data_site.browser()
    pasted = {"name": (None, "pasted"), "text": (None, "question\tx\none\t1\n")}
    answer = client.post("/data/preview", files=pasted)
    assert "one" in client.get(answer.headers["location"]).text


def test_the_sample_is_imported_with_one_click(data_site: Site) -> None:
    client = data_site.browser()
    address = client.post("/data/sample").headers["location"]
    work_off(data_site)
    page = client.get(address).text
    assert "1 to 20 of 300" in page
    assert "21 to 40 of 300" in client.get(address + "?after=20").text


def test_deleting_can_be_undone(data_site: Site) -> None:
    client = data_site.browser()
    address = client.post("/data/sample").headers["location"]
    work_off(data_site)
    client.post(f"{address}/delete")
    page = client.get("/data").text
    assert "support-messages deleted." in page
    assert "1 deleted dataset" in page
    assert f'action="{address}/restore"' in client.get("/data").text
    assert client.get(address).status_code == 404
    client.post(f"{address}/restore")
    assert "deleted dataset" not in client.get("/data").text.partition("It is back.")[2]
    assert "It goes out of the lists. It can be brought back" in client.get(address).text


def test_what_came_of_a_dataset_is_said_before_it_is_deleted(data_site: Site) -> None:
    with data_site.database.transaction() as session:
        version = make_dataset_version(session, by=data_site.person)
        make_run(session, version, make_prompt_version(session, by=data_site.person), by=data_site.person)
    page = data_site.browser().get(f"/data/{version.dataset_id}").text
    assert "1 run asked its rows; answers, gold stars and models that came of it stay" in page


def test_a_failed_import_says_why_and_what_to_do(data_site: Site) -> None:
    client = data_site.browser()
    form = chosen(client.get(look_at(client, CSV)).text)
    address = client.post("/data/import", data=form).headers["location"]
    with data_site.database.transaction() as session:
        job = queries.page(session, domain=data_site.person.domain, kind="import")[0]
        queue.claim(session, machine="m", slot=None)
        queue.fail(session, job, JobFailure("invalid", "All 2 rows are bad.", "Mend them.", ""))
        assert job.state == JobState.FAILED.value
    page = client.get(address).text
    assert "All 2 rows are bad." in page
    assert "Mend them." in page


def test_an_import_without_one_good_row_lists_the_bad_ones(data_site: Site) -> None:
    client = data_site.browser()
    address = look_at(client, b"a;b;c\n1,2,3\n4,5,6\n")
    answer = client.post("/data/import", data=chosen(client.get(address).text))
    work_off(data_site)
    page = client.get(answer.headers["location"]).text
    assert "All 2 rows are bad" in page
    assert re.findall(r"<li>Row (\d)", page) == ["1", "2"]


def test_another_organisations_dataset_does_not_exist(data_site: Site) -> None:
    client = data_site.browser()
    address = client.post("/data/sample").headers["location"]
    with data_site.database.transaction() as session:
        session.get_one(Dataset, address.rsplit("/", 1)[1]).domain = "elsewhere"
    assert client.get(address).status_code == 404
    assert client.post(f"{address}/delete").status_code == 404
