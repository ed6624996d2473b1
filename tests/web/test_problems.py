"""Errors, told in three faces: every family through every kind of router, with the same status and a hint."""

import errno
import importlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient
from tests.web.conftest import ORIGIN, Site, make_site

import goldsmith
from goldsmith.errors import Conflict, Denied, GoldsmithError, Invalid, NotFound, Unavailable
from goldsmith.jobs.errors import JobNotFound
from goldsmith.people.errors import NotSignedIn
from goldsmith.web.dependencies import CurrentPerson, Session
from goldsmith.web.factory import Routers
from goldsmith.web.problems import status_of

FAMILIES = {
    NotFound: 404,
    Invalid: 422,
    Conflict: 409,
    Denied: 403,
    Unavailable: 503,
    NotSignedIn: 401,
    JobNotFound: 404,
}
BY_NAME = {family.__name__: family for family in FAMILIES}


class Asked(BaseModel):
    """A body with a number."""

    number: int


def failing_router(prefix: str) -> APIRouter:
    """Routes that fail in every way."""
    router = APIRouter(prefix=prefix)

    @router.post("/raise/{name}")
    def raise_it(name: str) -> None:
        raise BY_NAME[name]("This went wrong <b>here</b>.")

    @router.post("/values")
    def values(asked: Asked) -> None:
        del asked

    @router.post("/unforeseen")
    def unforeseen() -> None:
        raise ZeroDivisionError("a secret detail")

    @router.post("/database")
    def database() -> None:
        raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))

    @router.post("/disk")
    def disk() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    @router.post("/commit")
    def commit(session: Session, person: CurrentPerson) -> dict[str, bool]:
        from goldsmith.people.tables import Key

        session.add(Key(id="key_1", person_id="nobody", label="x", sha256="x"))
        del person
        return {"is_saved": True}

    return router


@pytest.fixture
def failing(tmp_path: Path, database_url: str) -> Iterator[Site]:
    routers = Routers([failing_router("/pages")], [failing_router("/api")], [failing_router("/openai")])
    made = make_site(tmp_path, routers, database_url=database_url)
    yield made
    made.database.dispose()


@pytest.mark.parametrize("family", FAMILIES)
def test_an_api_router_tells_a_problem(failing: Site, family: type[GoldsmithError]) -> None:
    answer = failing.program().post(f"/api/raise/{family.__name__}", headers={"accept": "text/html"})
    assert answer.status_code == FAMILIES[family]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"/problems/{family.slug()}",
        "title": family.title,
        "status": FAMILIES[family],
        "detail": "This went wrong <b>here</b>.",
        "instance": f"/api/raise/{family.__name__}",
        "hint": family.default_hint,
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_an_openai_router_tells_openais_error(failing: Site, family: type[GoldsmithError]) -> None:
    answer = failing.program().post(f"/openai/raise/{family.__name__}")
    assert answer.status_code == (400 if FAMILIES[family] == 422 else FAMILIES[family])
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == ("server_error" if FAMILIES[family] >= 500 else "invalid_request_error")
    assert family.default_hint in error["message"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_page_router_tells_a_page_and_for_htmx_an_alert(failing: Site, family: type[GoldsmithError]) -> None:
    client = failing.browser()
    page = client.post(f"/pages/raise/{family.__name__}", headers={"accept": "application/json"})
    assert page.status_code == FAMILIES[family]
    assert "<!doctype html>" in page.text
    assert "&lt;b&gt;here" in page.text
    alert = client.post(f"/pages/raise/{family.__name__}", headers={"hx-request": "true"})
    assert alert.status_code == FAMILIES[family]
    assert alert.headers["hx-retarget"] == "#alerts"
    assert "<!doctype html>" not in alert.text
    assert family.title in alert.text.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://127.0.0.1:8001/data/new?dataset=ds_1", 'href="/data/new?dataset=ds_1"'),
        ("https://elsewhere.example/data/new", None),
        ("http://127.0.0.1:8001/pages/raise/Invalid", None),
        ("", None),
    ],
)
def test_whoever_sent_a_form_is_led_back_to_its_page_and_to_no_other(
    failing: Site, referer: str, back: str | None
) -> None:
    page = failing.browser().post("/pages/raise/Invalid", headers={"referer": referer}).text
    assert ("Go back and change it" in page) == (back is not None)
    assert back is None or back in page


def test_unusable_values_are_named_one_by_one(failing: Site) -> None:
    answer = failing.program().post("/api/values", json={"number": "many"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "number (body)"
    assert answer.json()["hint"]
    answer = failing.program().post("/openai/values", json={})
    assert answer.status_code == 400
    assert "number" in answer.json()["error"]["param"]


def test_broken_json_is_a_problem(failing: Site) -> None:
    headers = {"content-type": "application/json"}
    answer = failing.program().post("/api/values", content=b'{"number": ', headers=headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("prefix", ["/api", "/openai", "/pages"])
def test_what_nobody_foresaw_is_logged_with_the_number_that_is_told(
    failing: Site, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = failing.browser()
    client = TestClient(failing.web, base_url=ORIGIN, raise_server_exceptions=False, cookies=client.cookies)
    with caplog.at_level(logging.ERROR):
        answer = client.post(f"{prefix}/unforeseen", headers={"origin": ORIGIN})
    assert answer.status_code == 500
    assert "a secret detail" not in answer.text
    assert "default-src" in answer.headers["content-security-policy"]
    found = re.search(r"reference ([0-9a-f]{8}): POST", caplog.text)
    assert found is not None
    assert found[1] in answer.text


def test_a_database_that_does_not_answer_and_a_full_disk_are_told_as_such(failing: Site) -> None:
    database = failing.program().post("/api/database")
    assert (database.status_code, database.json()["type"]) == (503, "/problems/database-not-answering")
    disk = failing.program().post("/api/disk")
    assert (disk.status_code, disk.json()["type"]) == (503, "/problems/disk-full")


def test_a_commit_that_fails_is_not_an_answer_that_says_saved(failing: Site) -> None:
    key = {"authorization": f"Bearer {failing.key}"}
    client = TestClient(failing.web, base_url=ORIGIN, headers=key, raise_server_exceptions=False)
    assert client.post("/api/commit").status_code == 500


def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_programs(site: Site) -> None:
    assert "Nothing is here" in site.browser().get("/nope").text
    assert site.program().get("/nope").json()["type"] == "/problems/page-not-found"
    wrong = site.program().put("/v1/jobs")
    assert wrong.status_code == 405
    assert "hint" in wrong.json()


def all_errors() -> list[type[GoldsmithError]]:
    for folder in sorted(Path(goldsmith.__file__).parent.glob("*/errors.py")):
        importlib.import_module(f"goldsmith.{folder.parent.name}.errors")
    found: list[type[GoldsmithError]] = []
    queue = list(GoldsmithError.__subclasses__())
    while queue:
        found.append(queue.pop())
        queue += found[-1].__subclasses__()
    return sorted(found, key=lambda each: each.__name__)


@pytest.mark.parametrize("error", all_errors(), ids=lambda each: each.__name__)
def test_every_error_has_a_status_a_title_and_a_hint(error: type[GoldsmithError]) -> None:
    assert 400 <= status_of(error("x")) < 600
    assert status_of(error("x")) != 500
    assert error.__doc__
    assert error.title != GoldsmithError.title
    assert error.default_hint


def test_no_two_errors_share_an_address() -> None:
    slugs = [error.slug() for error in all_errors()]
    assert len(slugs) == len(set(slugs))
