"""The API over sources: everything that the pages do, for programs."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.syncing import Syncs, make_sqlite
from tests.web.conftest import Site, make_site

from goldsmith.connect.syncing import queries
from goldsmith.stars import service as stars
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.web.factory import Routers
from goldsmith.web.sources import api

SECRET = "s3cret-word"


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the person's, beside Goldsmith's."""
    return tmp_path_factory.mktemp("outside")


@pytest.fixture
def site(tmp_path: Path, outside: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HOME", str(outside))
    monkeypatch.setattr(api, "wait_for_job", lambda *_: None)  # nobody is at work here; the test is
    made = make_site(tmp_path, Routers([], [api.api]), database_url=database_url)
    yield made
    made.database.dispose()


@pytest.fixture
def syncs(site: Site, outside: Path) -> Syncs:
    return Syncs(site.database, site.home, site.person, outside / "source")


@pytest.fixture
def program(site: Site) -> TestClient:
    return site.program()


def test_a_source_from_its_first_day_to_its_last(program: TestClient, syncs: Syncs) -> None:
    address = make_sqlite(syncs.folder / "shop.db")
    options = {"address": address, "query": "SELECT * FROM tickets", "id_column": "id", "password": SECRET}
    made = program.post("/v1/sources", json={"name": "Shop", "kind": "sql", "options": options, "every_minutes": 60})
    assert made.status_code == 201
    at = made.headers["location"]
    assert (made.json()["has_secret"], made.json()["last_sync"]) == (True, None)
    assert SECRET not in made.text
    tested = program.post(f"{at}/test").json()
    assert tested["ok"], tested
    asked = program.post(f"{at}/sync")
    assert (asked.status_code, asked.headers["location"]) == (202, f"{at}/syncs")
    syncs.work(asked.json()["job_id"])
    (sync,) = program.get(f"{at}/syncs").json()["syncs"]
    assert (sync["state"], sync["num_new"], len(sync["content_sha256"])) == ("succeeded", 3, 64)
    changed = program.patch("/v1/sources/Shop", json={"every_minutes": None, "name": "Shop 2"}).json()
    assert (changed["name"], changed["every_minutes"], changed["options"]["address"]) == ("Shop 2", None, address)
    assert program.get("/v1/sources").json()["sources"][0]["num_rows"] == 3
    assert program.delete(at).status_code == 200
    gone = program.get(at)
    assert (gone.status_code, gone.json()["type"]) == (404, "/problems/connection-not-found")


def test_kinds_say_what_they_ask_for(program: TestClient) -> None:
    kinds = {kind["name"]: kind for kind in program.get("/v1/sources/kinds").json()["kinds"]}
    assert kinds["sql"]["options"]["properties"]["password"]["anyOf"][0]["format"] == "password"
    assert "one select" in kinds["sql"]["options"]["properties"]["query"]["description"].lower()


def test_a_row_says_where_it_came_from(program: TestClient, syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    syncs.sync(connection.id)
    row = syncs.rows(connection.id)[0]
    found = program.get(f"/v1/sources/rows/{row.id}").json()
    assert (found["connection"], found["source_id"], found["place"]) == ("tickets", "1", "tickets.csv, row 1")
    assert program.get("/v1/sources/rows/row_unknown").json()["type"] == "/problems/row-without-source"


def test_a_conflict_is_shown_and_decided(program: TestClient, syncs: Syncs, site: Site) -> None:
    connection = syncs.connect_folder(answer_column="answer")
    syncs.sync(connection.id)
    with site.database.transaction() as session:
        (row, *_) = syncs.rows(connection.id)
        (answer,) = queries.imported_answers(session, row.id)
        stars.mark(session, answer.id, MarkRequest(MarkKind.correction, "corrected"), by=site.person)
    syncs.write([(1, "one?", "changed there")])
    syncs.sync(connection.id)
    at = f"/v1/sources/{connection.id}/conflicts"
    (found,) = program.get(at).json()["conflicts"]
    assert found["changes"] == [{"column": "answer", "marked": "1", "now": "changed there"}]
    assert program.post(f"{at}/{found['id']}", json={"state": "kept"}).json() == {"conflicts": []}
    assert program.post(f"{at}/99999", json={"state": "kept"}).status_code == 404


def test_what_cannot_be_is_a_problem_with_a_hint_and_without_the_password(program: TestClient) -> None:
    options = {"address": "postgresql://h/d", "query": "DELETE FROM t", "id_column": "id", "password": SECRET}
    answer = program.post("/v1/sources", json={"name": "Shop", "kind": "sql", "options": options})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/connection-not-usable")
    assert answer.json()["hint"]
    assert SECRET not in answer.text
