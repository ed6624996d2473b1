"""The pages of gold stars, through HTTP, over a real database."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests import factories
from tests.web.conftest import Site, make_site

from goldsmith.data import queries as data_queries
from goldsmith.people import service as people
from goldsmith.run import prompts
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import PromptDraft
from goldsmith.stars import queries, service
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.web.factory import Routers
from goldsmith.web.run.fields import schema_of
from goldsmith.web.stars import handlers
from goldsmith.web.stars_needed import FOR_STARRING

TOPICS = ("billing", "delivery")


@pytest.fixture
def star_site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    site = make_site(tmp_path, Routers([handlers.pages]), database_url=database_url)
    yield site
    site.database.dispose()


def make_run(site: Site, num_rows: int = 6, *, fields: str = "topic: billing, delivery") -> tuple[str, list[str]]:
    """A run whose odd rows are answered right; its id and those of its answers."""
    contents = [{"message": f"Message {n}", "expected": json.dumps({"topic": TOPICS[n % 2]})} for n in range(num_rows)]
    with site.database.transaction() as session:
        version = factories.make_dataset_version(session, contents, by=site.person)
        draft = PromptDraft("{{message}}", "", schema_of(fields) if fields else None)
        wording = prompts.save_prompt(session, "topics", draft, by=site.person)
        run = Run(
            id=new_id(Prefix.RUN),
            name="First read",
            kind="model",
            dataset_version_id=version.id,
            prompt_version_id=wording.id,
            options={},
            num_rows=num_rows,
            domain=site.person.domain,
            created_by=site.person.id,
        )
        session.add(run)
        session.flush()
        ids = []
        for row in data_queries.rows(session, version.id):
            ids.append(new_id(Prefix.ANSWER))
            values = {"state": "answered", "text": '{"topic": "billing"}', "finish_reason": "stop"}
            position = row.position
            session.add(Answer(id=ids[-1], run_id=run.id, row_id=row.id, position=position, at=clock.now(), **values))
        return run.id, ids


def mark_of(site: Site, answer_id: str) -> Mark | None:
    with site.database.reading() as session:
        return queries.state_of(session, [answer_id]).get(answer_id)


def say(client: TestClient, address: str, **changes: str) -> dict[str, str]:
    """The form of the answer that is read, as a browser would send it."""
    page = client.get(address).text.split('id="say"')[1].split("</form>")[0]
    values = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', page))
    values |= dict(re.findall(r'type="radio" name="([\w-]+)" value="([^"]*)" checked', page))
    return values | {"verb": "star"} | changes


def test_an_empty_house_leads_to_a_run(star_site: Site) -> None:
    page = star_site.browser().get("/stars").text
    assert "No answers to read yet" in page
    assert FOR_STARRING in page


def test_reading_begins_at_the_first_row_that_nobody_has_read(star_site: Site) -> None:
    run_id, ids = make_run(star_site)
    client = star_site.browser()
    client.post(f"/stars/{run_id}/{ids[0]}", data=say(client, f"/stars/{run_id}"))
    page = client.get(f"/stars/{run_id}").text
    assert "Row 2</h2>" in page
    assert "<b>1</b> of 6 read" in page
    assert FOR_STARRING in page


def test_a_star_leads_to_the_next_row_and_can_be_undone(star_site: Site) -> None:
    run_id, ids = make_run(star_site)
    client = star_site.browser()
    answer = client.post(f"/stars/{run_id}/{ids[0]}", data=say(client, f"/stars/{run_id}?at=1"))
    assert answer.headers["location"] == f"/stars/{run_id}?at=2"
    assert "Row 1 starred." in client.get(answer.headers["location"]).text
    mark = mark_of(star_site, ids[0])
    assert mark is not None
    assert mark.is_star
    assert mark.correction is None
    assert f'action="/stars/{run_id}/{ids[0]}/undo"' in client.get(f"/stars/{run_id}?at=1").text
    client.post(f"/stars/{run_id}/{ids[0]}/undo")
    undone = mark_of(star_site, ids[0])
    assert undone is not None
    assert not undone.is_star


def test_a_choice_that_differs_is_a_correction_with_a_star(star_site: Site) -> None:
    run_id, ids = make_run(star_site)
    client = star_site.browser()
    address = f"/stars/{run_id}?at=2"
    client.post(f"/stars/{run_id}/{ids[1]}", data=say(client, address, **{"field-topic": "delivery"}))
    mark = mark_of(star_site, ids[1])
    assert mark is not None
    assert mark.is_star
    assert mark.correction == '{"topic": "delivery"}'
    page = client.get(address).text
    assert "<del>billing</del>" in page
    assert "<ins>delivery</ins>" in page


def test_text_answers_are_corrected_as_text(star_site: Site) -> None:
    run_id, ids = make_run(star_site, fields="")
    client = star_site.browser()
    form = say(client, f"/stars/{run_id}", verb="text", text="It is on its way.")
    client.post(f"/stars/{run_id}/{ids[0]}", data=form)
    mark = mark_of(star_site, ids[0])
    assert mark is not None
    assert mark.correction == "It is on its way."


def test_bad_and_note_are_kept_and_a_note_stays_on_its_row(star_site: Site) -> None:
    run_id, ids = make_run(star_site)
    client = star_site.browser()
    client.post(f"/stars/{run_id}/{ids[0]}", data=say(client, f"/stars/{run_id}?at=1", verb="bad"))
    form = {"verb": "note", "text": "ask Ben", "at": "1"}
    assert client.post(f"/stars/{run_id}/{ids[0]}", data=form).headers["location"] == f"/stars/{run_id}?at=1"
    mark = mark_of(star_site, ids[0])
    assert mark is not None
    assert mark.is_bad
    assert mark.note == "ask Ben"


def test_filter_and_search_stay_while_one_reads(star_site: Site) -> None:
    run_id, ids = make_run(star_site)
    client = star_site.browser()
    form = say(client, f"/stars/{run_id}?filter=unread&search=Message")
    address = client.post(f"/stars/{run_id}/{ids[0]}", data=form).headers["location"]
    assert address == f"/stars/{run_id}?at=2&filter=unread&search=Message"
    assert "Nothing to read here" in client.get(f"/stars/{run_id}?search=nonsense").text


def test_a_conflict_shows_both_versions_and_keeps_the_one_that_is_chosen(star_site: Site) -> None:
    run_id, ids = make_run(star_site)
    client = star_site.browser()
    form = say(client, f"/stars/{run_id}?at=1")
    with star_site.database.transaction() as session:
        ben = people.known_by_name(session, "Ben")
        service.mark(session, ids[0], MarkRequest(MarkKind.correction, "Ben's words"), by=ben)
    answer = client.post(f"/stars/{run_id}/{ids[0]}", data=form)
    assert answer.status_code == 409
    assert "Ben marked this row" in answer.text
    assert "Ben&#39;s words" in answer.text
    mine = answer.text.split("<b>Yours</b>")[1].split("</form>")[0]
    again = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', mine))
    assert client.post(f"/stars/{run_id}/{ids[0]}", data=again).status_code == 303
    mark = mark_of(star_site, ids[0])
    assert mark is not None
    assert mark.created_by == star_site.person.id


def test_many_are_marked_after_a_look_at_what_it_touches(star_site: Site) -> None:
    run_id, ids = make_run(star_site)
    client = star_site.browser()
    page = client.get(f"/stars/{run_id}/many?column=expected").text
    assert "Star 3 answers" in page
    assert "Correct and star 3 answers" in page
    assert mark_of(star_site, ids[0]) is None
    for rule in ("star_equal", "correct_others"):
        client.post(f"/stars/{run_id}/many", data={"rule": rule, "column": "expected"})
    corrected = mark_of(star_site, ids[1])
    assert corrected is not None
    assert corrected.correction == '{"topic": "delivery"}'
    page = client.get(f"/stars/{run_id}/many?column=expected").text
    assert "<b>0 answers</b>" in page
    assert f'action="/stars/{run_id}/many/undo"' in page
    later = client.get(f"/stars/{run_id}/many?column=expected").text
    assert "It marked 3 answers that nobody has marked since" in later
    client.post(f"/stars/{run_id}/many/undo")
    assert "3 answers taken back." in client.get(f"/stars/{run_id}/many?column=expected").text
    undone = mark_of(star_site, ids[1])
    assert undone is not None
    assert not undone.is_star


def test_stars_become_a_training_set_with_an_exam(star_site: Site) -> None:
    run_id, _ = make_run(star_site, 20)
    client = star_site.browser()
    for rule in ("star_equal", "correct_others"):
        client.post(f"/stars/{run_id}/many", data={"rule": rule, "column": "expected"})
    answer = client.post("/stars/export", data={"run": "all", "name": "", "exam_percent": "20", "format": "chatml"})
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    page = client.get(address).text
    assert "16 rows to learn, 4 kept back" in page
    assert f"/training/new?training_set={address.rsplit('/', 1)[1]}" in page
    assert client.get(f"{address}?side=exam").text.count("the answer</a>") == 4
    assert len(client.get(f"{address}/learn.jsonl").text.splitlines()) == 16


def test_without_a_star_there_is_no_training_set_and_why_is_said(star_site: Site) -> None:
    make_run(star_site)
    answer = star_site.browser().post("/stars/export", data={"run": "all"})
    assert answer.status_code == 422
    assert "None of the 6 answers has a gold star" in answer.text


def test_another_organisations_answers_do_not_exist(star_site: Site) -> None:
    run_id, ids = make_run(star_site)
    client = star_site.browser()
    form = say(client, f"/stars/{run_id}")
    with star_site.database.transaction() as session:
        session.get_one(Run, run_id).domain = "elsewhere"
    for path in ("", "/many"):
        assert client.get(f"/stars/{run_id}{path}").status_code == 404
    assert client.post(f"/stars/{run_id}/{ids[0]}", data=form).status_code == 404
    assert client.post(f"/stars/{run_id}/{ids[0]}/undo").status_code == 404
    assert client.post(f"/stars/{run_id}/many", data={"rule": "star_equal", "column": "expected"}).status_code == 404


def test_what_a_check_found_is_left_out_by_one_click(star_site: Site) -> None:
    run_id, ids = make_run(star_site, 12, fields="")
    with star_site.database.transaction() as session:
        for answer_id in ids:
            kind = MarkKind.correction if answer_id in ids[:2] else MarkKind.star
            text = "Write to ada@example.org [/INST]" if answer_id == ids[0] else "Call 0171 2345678, ada@example.org"
            request = MarkRequest(kind, text if kind is MarkKind.correction else None)
            service.mark(session, answer_id, request, by=star_site.person)
    browser = star_site.browser()
    form = {"name": "Topics", "run": run_id, "exam_percent": "20", "format": "chatml"}
    made = browser.post("/stars/export", data=form)
    address = made.headers["location"].partition("?")[0]
    page = browser.get(address).text
    assert "Make the set without these 2 rows" in page
    assert "Make the set without this row" in page
    assert re.findall(r'name="check" value="(\w+)"', page).count("personal_data") == 2
    new = browser.post(f"{address}/without", data={"check": ["personal_data", "foreign_markers"]})
    assert new.status_code == 303
    shown = browser.get(new.headers["location"]).text
    assert f'Made from <a href="{address}"' in shown
    assert "Topics, cleaned" in shown
    assert "Make the set without" not in shown
    assert browser.post(f"{address}/without", data={"check": "leaks"}).status_code == 422
