"""The page of Aristotle: without a connection, with a good one, with a bad one; bring in and write back by clicking."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.aristotle import MakeSynthetic, make_synthetic, url_of
from tests.web.conftest import Site, make_site

from goldsmith.connect.aristotle import Aristotle
from goldsmith.run.tables import Answer
from goldsmith.stars import service as stars
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.testing.aristotle import SyntheticAristotle
from goldsmith.web.connect import bringing_api, handlers
from goldsmith.web.factory import Routers
from goldsmith.web.stars import handlers as star_pages

__all__ = ["make_synthetic"]
PATH = "/settings/aristotle"
SCOPE = {"philosopher": "ada@acme.example", "domain": "acme.example"}
SECRET = "s3cret-word"


def site_with(folder: Path, database_url: str, url: str | None) -> Site:
    offers = {"sources": {"aristotle": lambda: Aristotle.at(url) if url is not None else None}}
    routers = Routers([handlers.pages, star_pages.pages], [bringing_api.api])
    return make_site(folder, routers, database_url=database_url, offers=offers)


@pytest.fixture
def nowhere(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = site_with(tmp_path, database_url, None)
    yield made
    made.database.dispose()


@pytest.fixture
def away(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = site_with(tmp_path, database_url, f"postgresql://reader:{SECRET}@127.0.0.1:1/aristotle_dev")
    yield made
    made.database.dispose()


@pytest.fixture
def synthetic(make_synthetic: MakeSynthetic) -> SyntheticAristotle:
    made = make_synthetic("V2")
    made.fill(6, **SCOPE)  # type: ignore[arg-type]  # its only two words are texts
    return made


@pytest.fixture
def site(tmp_path: Path, database_url: str, synthetic: SyntheticAristotle) -> Iterator[Site]:
    made = site_with(tmp_path, database_url, url_of(synthetic))
    yield made
    made.database.dispose()


def bring(browser: TestClient, **more: str) -> str:
    answer = browser.post(PATH, data={**SCOPE, "format": "chatml", "knows_system": "true", **more})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_without_a_connection_it_says_what_to_set(nowhere: Site) -> None:
    browser = nowhere.browser()
    page = browser.get(PATH).text
    assert "ARISTOTLE_DATABASE_URL" in page
    assert "Bring the stars in" not in page
    assert browser.post(f"{PATH}/test").status_code == 409


def test_a_server_that_is_away_is_told_in_words_and_without_the_password(away: Site) -> None:
    browser = away.browser()
    shown, tested = browser.get(PATH).text, browser.post(f"{PATH}/test").text
    assert "aristotle_dev on 127.0.0.1:1, as reader" in shown
    assert "The source does not answer" in tested
    assert SECRET not in shown + tested


@pytest.mark.postgresql
def test_a_good_connection_says_what_is_there(site: Site) -> None:
    page = site.browser().post(f"{PATH}/test").text
    assert "Generation V2. 6 gold stars of 1 philosopher." in page
    assert "select, insert, update" in page


@pytest.mark.postgresql
def test_a_role_without_rights_is_told(site: Site, synthetic: SyntheticAristotle) -> None:
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE conquest_prompt RENAME TO elsewhere")
    page = site.browser().post(f"{PATH}/test").text
    assert "The database is not as expected" in page
    assert "a table of prompts (conquest_prompt" in page


@pytest.mark.postgresql
def test_stars_are_brought_in_by_one_button(site: Site) -> None:
    browser = site.browser()
    at = bring(browser)
    assert re.fullmatch(r"/training-sets/set_\w+", at)
    assert browser.get(at).status_code == 200
    page = browser.get(PATH).text
    assert "ada@acme.example" in page
    assert "of ada@acme.example at acme.example" in page
    again = browser.post(PATH, data=SCOPE)
    assert again.headers["location"] == at, "the system message was said once, and the same stars are the same set"


@pytest.mark.postgresql
def test_a_form_that_cannot_be_used_comes_back(site: Site) -> None:
    browser = site.browser()
    answer = browser.post(PATH, data={**SCOPE, "limit": "0"})
    assert (answer.status_code, "ada@acme.example" in answer.text) == (422, True)
    assert browser.post(PATH, data=SCOPE).status_code == 422, "nobody has said the system message yet"


@pytest.mark.postgresql
def test_what_is_said_here_is_written_back_by_one_button(site: Site, synthetic: SyntheticAristotle) -> None:
    browser = site.browser()
    bring(browser)
    with site.database.transaction() as session:
        answer = session.scalars(select(Answer)).first()
        assert answer is not None
        stars.mark(session, answer.id, MarkRequest(MarkKind.unstar), by=site.person)
    assert browser.post(f"{PATH}/write-back").status_code == 303
    assert "5 gold stars of 1 philosopher." in browser.post(f"{PATH}/test").text
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE \"Conquest\" SET result = 'DEFEAT'")
    with site.database.transaction() as session:
        stars.mark(session, answer.id, MarkRequest(MarkKind.star), by=site.person)
    browser.post(f"{PATH}/write-back")
    page = browser.get(PATH).text
    assert "0 stars written back. 1 star left as changed there since; see below." in page
    assert "Somebody has changed it there since" in page


@pytest.mark.postgresql
def test_stars_are_told_to_come_by_themselves_on_the_page_and_over_the_api(site: Site) -> None:
    browser, program = site.browser(), site.program()
    asked = {**SCOPE, "knows_system": "true", "system_message": "You judge."}
    assert browser.post(PATH, data=asked).status_code == 303
    (star,) = program.get("/v1/aristotle/stars").json()["stars"]
    assert (star["num_stars"], star["every_minutes"], star["job_id"]) == (6, None, None)
    address = f"{PATH}/stars/{star['id']}/schedule"
    assert "Bring them in every" in browser.get(PATH).text
    assert browser.post(address, data={"every_minutes": "60"}).status_code == 303
    assert 'value="60"' in browser.get(PATH).text
    refused = browser.post(address, data={"every_minutes": "0"})
    assert (refused.status_code, 'value="0"' in refused.text) == (422, True)
    brought = program.post(f"/v1/aristotle/stars/{star['id']}/bring")
    assert (brought.status_code, brought.headers["location"]) == (202, f"/v1/jobs/{brought.json()['job_id']}")
    (now,) = program.get("/v1/aristotle/stars").json()["stars"]
    assert (now["every_minutes"], now["state"], now["job_id"]) == (60, "queued", brought.json()["job_id"])
    off = program.put(f"/v1/aristotle/stars/{star['id']}/schedule", json={"every_minutes": None})
    assert (off.json()["every_minutes"], off.json()["next_bring_at"]) == (None, None)
    assert program.put("/v1/aristotle/stars/src_none/schedule", json={"every_minutes": 5}).status_code == 404
