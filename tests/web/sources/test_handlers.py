"""The pages of sources: connect by clicking, test, read, decide, see where a row came from; no password on any."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.syncing import Syncs, make_sqlite
from tests.web.conftest import Site, make_site

from goldsmith.connect.syncing import queries
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.storage import sealing
from goldsmith.web.data import handlers as data_pages
from goldsmith.web.factory import Routers
from goldsmith.web.sources import handlers
from goldsmith.web.sources.views import ConnectionFormPage, ConnectionPage, SourcesPage

SECRET = "s3cret-word"


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the person's, beside Goldsmith's."""
    return tmp_path_factory.mktemp("outside")


@pytest.fixture
def site(tmp_path: Path, outside: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HOME", str(outside))
    made = make_site(tmp_path, Routers([handlers.pages, data_pages.pages], []), database_url=database_url)
    yield made
    made.database.dispose()


@pytest.fixture
def syncs(site: Site, outside: Path) -> Syncs:
    return Syncs(site.database, site.home, site.person, outside / "source")


def test_the_empty_page_says_what_can_be_connected(site: Site) -> None:
    answer = site.browser().get("/sources")
    page: SourcesPage = answer.context["page"]  # type: ignore[attr-defined]
    assert page.connections == ()
    assert {kind.name for kind in page.kinds} >= {"sql", "folder"}
    assert "Nothing is connected yet" in answer.text


def post_new(browser: TestClient, address: str, **more: str) -> Any:
    form = {"name": "Shop", "address": address, "query": "SELECT * FROM tickets", "id_column": "id", **more}
    return browser.post("/sources/new/sql", data=form)


def test_one_is_connected_read_and_shown(site: Site, syncs: Syncs) -> None:
    browser = site.browser()
    assert "one SELECT" in browser.get("/sources/new/sql").text.replace("One SELECT", "one SELECT")
    answer = post_new(browser, make_sqlite(syncs.folder / "shop.db"), password=SECRET, every_minutes="60")
    assert answer.status_code == 303
    at = answer.headers["location"]
    fresh: ConnectionPage = browser.get(at).context["page"]  # type: ignore[attr-defined]
    assert (fresh.syncs, fresh.has_secret, fresh.often) == ((), True, "every hour")
    assert browser.post(f"{at}/sync").status_code == 303
    with site.database.reading() as session:
        job = queries.under_way(session, at.rpartition("/")[2])
        assert job is not None
    syncs.work(job.id)
    answer = browser.get(at)
    page: ConnectionPage = answer.context["page"]  # type: ignore[attr-defined]
    assert (page.num_rows, page.syncs[0].num_new, page.job) == (3, 3, None)
    assert SECRET not in answer.text
    listed: SourcesPage = browser.get("/sources").context["page"]  # type: ignore[attr-defined]
    assert (listed.connections[0].name, listed.connections[0].num_rows) == ("Shop", 3)


def test_it_can_be_tested_before_it_is_kept(site: Site, syncs: Syncs) -> None:
    browser = site.browser()
    answer = post_new(browser, make_sqlite(syncs.folder / "shop.db"), do="test", password=SECRET)
    page: ConnectionFormPage = answer.context["page"]
    assert page.tested is not None
    assert page.tested.is_good
    assert "Columns: id, question, answer, changed_at." in page.tested.sentence
    assert "one?" not in answer.text, "no row is shown"
    assert SECRET not in answer.text
    with site.database.reading() as session:
        assert queries.page(session, domain="local") == []


def test_a_value_that_cannot_be_is_said_at_its_field_and_the_rest_is_still_there(site: Site) -> None:
    answer = post_new(site.browser(), "postgresql://h/d", query="DROP TABLE t", password=SECRET)
    assert answer.status_code == 422
    page: ConnectionFormPage = answer.context["page"]
    errors = {field.name: field.error for field in page.own if field.error}
    assert errors.keys() == {"query"}
    assert "postgresql://h/d" in answer.text
    assert SECRET not in answer.text


def test_a_place_that_does_not_answer_is_said_with_what_to_do(site: Site, syncs: Syncs) -> None:
    options = {"address": "postgresql://reader@127.0.0.1:1/shop", "query": "SELECT 1 AS id", "id_column": "id"}
    connection = syncs.connect("sql", {**options, "password": SECRET})
    answer = site.browser().post(f"/sources/{connection.id}/test")
    page: ConnectionPage = answer.context["page"]  # type: ignore[attr-defined]
    assert page.tested is not None
    assert not page.tested.is_good
    assert "shop on 127.0.0.1:1, as reader" in page.tested.sentence
    assert "Check host and port" in page.tested.hint
    assert SECRET not in answer.text


def change(browser: TestClient, connection: SourceConnection, **fields: str) -> Any:
    form = {"name": connection.name, **connection.options, **fields}
    return browser.post(f"/sources/{connection.id}/change", data=form)


def test_it_is_changed_and_removed(site: Site, syncs: Syncs) -> None:
    options = {"address": "postgresql://reader@127.0.0.1:1/shop", "query": "SELECT 1 AS id", "id_column": "id"}
    connection = syncs.connect("sql", {**options, "password": SECRET})
    browser = site.browser()
    assert SECRET not in browser.get(f"/sources/{connection.id}/change").text
    assert change(browser, connection, query="SELECT 2 AS id").status_code == 303
    assert sealing.read(site.home, connection.id) == {"password": SECRET}
    assert change(browser, connection, query="TRUNCATE t").status_code == 422
    assert change(browser, connection, address="postgresql://reader@127.0.0.1:2/shop").status_code == 303
    assert sealing.read(site.home, connection.id) == {}
    assert browser.post(f"/sources/{connection.id}/remove").status_code == 303
    assert browser.get(f"/sources/{connection.id}").status_code == 404


def test_a_row_leads_back_to_its_source(site: Site, syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    syncs.sync(connection.id)
    row_id = syncs.rows(connection.id)[1].id
    page: ConnectionPage = site.browser().get(f"/sources/{connection.id}?row={row_id}").context["page"]  # type: ignore[attr-defined]
    assert page.origin is not None
    assert (page.origin.source_id, page.origin.place) == ("2", "tickets.csv, row 2")
    assert f"/sources/{connection.id}?row={row_id}" in site.browser().get(f"/data/{connection.dataset_id}").text
    site.browser().post(f"/sources/{connection.id}/remove")
    answer = site.browser().get(f"/sources/{connection.id}?row={row_id}")
    assert "This source was removed" in answer.text, "what was removed still says where its rows came from"
    assert "Read it now" not in answer.text
