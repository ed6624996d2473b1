"""The door, attacked on every route that there is: a new route is attacked on the day on which it is written."""

import asyncio
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.web.conftest import ORIGIN, Site

from goldsmith.people import service
from goldsmith.people.tables import Key
from goldsmith.people.types import Person
from goldsmith.web import security, sign_in

OPEN = {"/healthz", "/readyz", "/hello"}
FOREIGN = (
    "http://evil.example",
    "null",
    "http://127.0.0.1:3000",
    "https://127.0.0.1:8002",
    "http://127.0.0.1:8001.evil",
)


def routes(site: Site) -> Iterator[tuple[str, str]]:
    """Every method and address of the site, with something in the place of each name."""
    for route in site.web.state.faces.routes:
        path = route.path.replace("{", "").replace("}", "")
        yield from ((method, path) for method in sorted(route.methods))
    yield "GET", "/v1/openapi.json"
    yield "GET", "/nothing/here"


def everywhere(site: Site) -> list[tuple[str, str]]:
    found = list(routes(site))
    assert len(found) > 12
    return found


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:8001/x?", "", "127.0.0.1@evil"])
def test_a_foreign_host_is_turned_away_from_every_route_even_with_a_key(site: Site, host: str) -> None:
    client = site.program()
    for method, path in everywhere(site):
        answer = client.request(method, path, headers={"host": host})
        assert answer.status_code == 421, (method, path)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8001", "[::1]:8001"])
def test_loopback_names_are_let_in(site: Site, host: str) -> None:
    assert site.client().get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_origin_is_turned_away_from_every_route(site: Site, origin: str) -> None:
    for client in (site.browser(), site.program()):
        for method, path in everywhere(site):
            answer = client.request(method, path, headers={"origin": origin})
            assert answer.status_code == 403, (method, path)


def test_a_request_of_another_site_is_turned_away_unless_a_person_followed_a_link(site: Site) -> None:
    client = site.browser()
    for method, path in everywhere(site):
        answer = client.request(method, path, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403, (method, path)
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/activity", headers=followed).status_code == 200
    assert client.post("/goodbye", headers=followed).status_code == 403


def test_a_cookie_alone_changes_nothing_when_nobody_says_from_which_page(site: Site) -> None:
    client = site.browser()
    del client.headers["origin"]
    for method, path in everywhere(site):
        if method not in security.SAFE_METHODS:
            assert client.request(method, path).status_code == 403, (method, path)
    assert client.get("/activity").status_code == 200


def test_without_a_key_or_a_cookie_every_closed_route_says_how_to_get_one(site: Site) -> None:
    client = site.client(origin=ORIGIN)
    for method, path in everywhere(site):
        if path in OPEN:
            continue
        answer = client.request(method, path)
        is_page = site.web.state.faces.of(path, method) == "page"
        if is_page and method == "GET":
            assert answer.headers["location"].startswith("/hello"), path
        else:
            assert answer.status_code == 401, (method, path)
            assert "goldsmith keys add" in answer.text


@pytest.mark.parametrize("header", ["Bearer gsk_wrong", "Bearer", "Basic Z29sZDpzdGFy", "gsk_x", ""])
def test_a_wrong_key_is_refused_everywhere_even_beside_a_good_cookie(site: Site, header: str) -> None:
    client = site.browser()
    for method, path in everywhere(site):
        answer = client.request(method, path, headers={"authorization": header, "accept": "*/*"})
        assert answer.status_code == 401 or answer.headers.get("location", "").startswith("/hello"), (method, path)


@pytest.mark.parametrize("name", ["host", "content-length", "authorization", "origin", "content-type"])
def test_a_header_that_came_twice_is_ambiguous(site: Site, name: str) -> None:
    answer = site.client().request("POST", "/v1/jobs/x/cancel", headers=[(name, "1"), (name, "1")])
    assert answer.status_code in (400, 421)
    assert answer.json()["type"] == "/problems/ambiguous-request"


def test_a_length_beside_a_chunked_body_is_ambiguous(site: Site) -> None:
    headers = {"content-length": "3", "transfer-encoding": "chunked"}
    assert site.program().post("/v1/jobs/x/cancel", content=b"abc", headers=headers).status_code == 400


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "+5"])
def test_a_length_that_is_no_number_is_ambiguous(site: Site, length: str) -> None:
    headers = [(b"content-length", length.encode())]
    assert site.program().post("/v1/jobs/x/cancel", headers=headers).status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_the_api_takes_json_only_under_its_own_name(site: Site, kind: str) -> None:
    answer = site.program().post("/v1/jobs/x/cancel", content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415


def test_a_body_that_is_too_large_is_refused_before_and_while_it_comes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "MAX_BODY_BYTES", 1000)
    browser = site.browser()
    assert browser.post("/hello", data={"name": "x" * 2000}).status_code == 413
    chunks = (b"name=" + b"x" * 900 for _ in range(5))
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/hello", content=chunks, headers=form).status_code == 413


def test_every_answer_carries_the_headers_that_protect_it(site: Site) -> None:
    client = site.browser()
    for method, path in [*everywhere(site), ("GET", "/static/goldsmith.css"), ("GET", "/static/../pages.py")]:
        headers = client.request(method, path, headers={"accept": "text/html"}).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' data:;"), path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


def test_static_files_stay_in_their_folder(site: Site) -> None:
    for path in ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static/vendor/../../pages.py", "/static/"):
        assert site.client().get(path).status_code in (401, 404), path


def test_a_key_works_until_it_is_revoked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "WORTH_WAITING_S", 0.0)
    monkeypatch.setattr(sign_in, "FRESH_S", 0.0)
    client = site.program()
    assert client.get("/v1/jobs").status_code == 200
    with site.database.transaction() as session:
        service.revoke_key(session, service.keys(session)[0][0].id)
    assert client.get("/v1/jobs").status_code == 401


def test_a_key_is_good_as_soon_as_it_was_made(site: Site) -> None:
    assert site.program().get("/v1/jobs").status_code == 200
    with site.database.transaction() as session:
        _, secret = service.add_key(session, "another", by=site.person)
    assert site.client(authorization=f"Bearer {secret}").get("/v1/jobs").status_code == 200


def test_a_known_key_does_not_wait_for_a_slow_database(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    table, times = sign_in.KeyTable(site.database), []
    read = service.keys

    def read_slowly(session: Session) -> list[tuple[Key, Person]]:
        time.sleep(0.2)
        return read(session)

    async def ask() -> None:
        await table.holder_of(site.key)
        monkeypatch.setattr(service, "keys", read_slowly)
        for _ in range(20):
            began = time.monotonic()
            assert await table.holder_of(site.key) is not None
            times.append(time.monotonic() - began)
            await asyncio.sleep(0.08)

    asyncio.run(ask())
    assert max(times) < 0.15


def test_a_key_that_cannot_be_checked_is_not_let_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot_read(_: object) -> object:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(service, "keys", cannot_read)
    answer = site.program().get("/v1/jobs")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/key-not-checked"


def test_a_known_key_is_good_for_thirty_seconds_without_the_database(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = site.program()
    assert client.get("/healthz").status_code == 200
    monkeypatch.setattr(service, "keys", lambda _: (_ for _ in ()).throw(OperationalError("SELECT", {}, Exception())))
    monkeypatch.setattr(sign_in, "FRESH_S", 0.0)
    assert client.get("/healthz").status_code == 200
    started = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: started + 31)
    assert client.get("/healthz").status_code == 503


def test_a_cookie_with_another_signature_is_nobody(site: Site, tmp_path: Path) -> None:
    client = site.browser()
    signed = client.cookies["goldsmith_person"]
    client.cookies.clear()
    client.cookies.set("goldsmith_person", signed[:-3] + "abc", domain="127.0.0.1")
    assert client.get("/activity").headers["location"] == "/hello?next=%2Factivity"


def test_the_cookie_is_for_this_site_alone_and_its_key_for_its_owner_alone(site: Site) -> None:
    answer = site.client(origin=ORIGIN).post("/hello", data={"name": "Ada"})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    key = site.home.secrets / "cookie.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_websocket_of_another_site_is_refused(site: Site) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        TestClient(site.web, base_url=ORIGIN).websocket_connect("/stream", headers={"origin": "http://evil.example"}),
    ):
        pass
