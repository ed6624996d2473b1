"""Answers that are offered to a source, over the API and on its page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.label_studio_stand_in import serving
from tests.syncing import Syncs, make_sqlite
from tests.unit.connect.offering.conftest import Offers
from tests.web.conftest import Site, make_site

from goldsmith.web.factory import Routers
from goldsmith.web.jobs import handlers as activity
from goldsmith.web.sources import api, handlers, offers_api


@pytest.fixture
def site(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(offers_api, "wait_for_job", lambda *_: None)  # nobody is at work here; the test is
    made = make_site(
        tmp_path, Routers([handlers.pages, activity.pages], [api.api, offers_api.api]), database_url=database_url
    )
    yield made
    made.database.dispose()


@pytest.fixture
def offers(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offers]:
    folder = tmp_path_factory.mktemp("outside")
    with serving() as studio:
        yield Offers(Syncs(site.database, site.home, site.person, folder), studio)


def test_answers_are_offered_over_the_api_and_the_page_says_what_became_of_them(site: Site, offers: Offers) -> None:
    at = offers.connect(2)
    program, browser = site.program(), site.browser()
    assert "No model has answered these rows yet" in browser.get(f"/sources/{at}").text
    run_id = offers.run(at, {1: "an answer"})
    asked = program.post(f"/v1/sources/{at}/offers", json={"run": run_id})
    assert (asked.status_code, asked.headers["location"]) == (202, f"/v1/sources/{at}/offers")
    offers.work(asked.json()["job_id"])
    (one,) = program.get(f"/v1/sources/{at}/offers").json()["offers"]
    assert (one["state"], one["num_new"], one["num_same"], one["num_not_taken"]) == ("succeeded", 1, 0, 0)
    assert program.post(f"/v1/sources/{at}/offers", json={"run": "run_x"}).status_code == 404
    sent = browser.post(f"/sources/{at}/offers", data={"run": run_id})
    assert sent.headers["location"] == f"/sources/{at}#offers"
    assert f'href="/sources/{at}"' in browser.get(f"/activity/{one['job_id']}").text
    page = browser.get(f"/sources/{at}").text
    assert "Answers that are shown there" in page
    assert f"/runs/{run_id}" in page


def test_a_source_that_is_only_read_offers_nothing(site: Site, offers: Offers) -> None:
    address = make_sqlite(offers.syncs.folder / "shop.db")
    query = {"query": "SELECT id, question FROM tickets", "id_column": "id"}
    shop = offers.syncs.connect("sql", {"address": address, **query}, name="shop")
    assert "offers" not in site.browser().get(f"/sources/{shop.id}").text
    files = offers.syncs.connect_folder(name="files")
    form = site.browser().get("/sources/new/folder").text
    assert 0 < form.index('name="path"') < form.index('name="offer_answers"'), "first where, then what goes there"
    page = site.browser().get(f"/sources/{files.id}").text
    assert "Answers that are written there" in page
    assert "goldsmith-answers/RUN.jsonl" in page
    refused = site.program().post(f"/v1/sources/{shop.id}/offers", json={"run": offers.run(offers.connect(1))})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/not-offerable")


def test_the_form_asks_for_no_column_that_the_kind_knows_itself(site: Site, offers: Offers) -> None:
    browser = site.browser()
    form = browser.get("/sources/new/label_studio").text
    assert "Connect Label Studio" in form
    assert 'type="password"' in form
    assert 'name="answer_column"' not in form
    assert 'name="answer_column"' in browser.get("/sources/new/folder").text
    options = {"name": "Labels", "address": offers.studio.url, "project": "7", "token": "t0ken", "stars": "by_rating"}
    at = browser.post("/sources/new/label_studio", data=options).headers["location"]
    browser.post(f"{at}/change", data={**options, "token": "", "min_rating": "3"})
    kept = site.program().get("/v1/sources/Labels").json()
    assert (kept["answer_column"], kept["options"]["min_rating"], kept["has_secret"]) == ("good_answer", 3, True)
    page = browser.get(at).text
    assert "t0ken" not in page
    assert "only when asked" in page
    browser.post(f"{at}/change", data={**options, "token": "", "told_at": "http://127.0.0.1:8001"})
    assert "when it says that something changed" in browser.get(at).text
