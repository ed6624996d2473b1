"""Tokens: who gets one, what they open, and how they end."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.web.conftest import ORIGIN, Site
from tests.web.embed.applications import ADA, EVE, HOST, make_goldsmith, page, token

from goldsmith.migrations.tables import METADATA
from goldsmith.people import service as people
from goldsmith.storage import clock
from goldsmith.web import sign_in

NOW, TOKENS = "/v1/embed/now", "/v1/embed/tokens"


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_goldsmith(tmp_path, database_url)
    yield made
    made.database.dispose()


def test_a_server_gets_a_token_for_minutes_with_its_key(site: Site) -> None:
    made = site.program().post(TOKENS, json={**ADA, "may": ["export"], "minutes": 5})
    assert made.status_code == 201
    told = made.json()
    assert told["token"].startswith("gse_")
    assert (told["philosopher"], told["domain"], told["may"]) == (*ADA.values(), ["export"])
    left = site.client(authorization=f"Bearer {told['token']}").get(NOW).json()["seconds_left"]
    assert 290 < left <= 300


def test_a_token_may_only_look_unless_it_says_more(site: Site) -> None:
    made = site.program().post(TOKENS, json=ADA).json()
    assert site.client(authorization=f"Bearer {made['token']}").get(NOW).json()["may"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"philosopher": "ada@acme.example"},
        {**ADA, "minutes": 0},
        {**ADA, "minutes": 61},
        {**ADA, "may": ["everything"]},
        {**ADA, "philosopher": " "},
        {**ADA, "extra": 1},
    ],
)
def test_what_is_half_said_gets_no_token(site: Site, body: dict[str, object]) -> None:
    assert site.program().post(TOKENS, json=body).status_code == 422


def test_a_browser_s_cookie_gets_no_token(site: Site) -> None:
    answer = site.browser().post(TOKENS, json=ADA)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/key-needed")


def test_a_key_of_another_organisation_gets_none_for_this_one(site: Site) -> None:
    with site.database.transaction() as session:
        eve = people.known_by_name(session, "Eve", domain=EVE["domain"])
        _, secret = people.add_key(session, "hers", by=eve)
    client = site.client(authorization=f"Bearer {secret}")
    answer = client.post(TOKENS, json=ADA)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-your-scope")
    assert client.post(TOKENS, json=EVE).status_code == 201


def test_a_token_ends_when_its_key_is_revoked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "WORTH_WAITING_S", 0.0)
    monkeypatch.setattr(sign_in, "FRESH_S", 0.0)
    client = page(site, ADA)
    assert client.get(NOW).status_code == 200
    with site.database.transaction() as session:
        people.revoke_key(session, people.keys(session)[0][0].id)
    answer = client.get(NOW)
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/token-not-good")
    assert answer.headers["access-control-allow-origin"] == HOST  # so that the page can read why


def test_a_token_ends_by_itself(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client, now = page(site, ADA), clock.now
    assert client.get(NOW).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=11))
    assert client.get(NOW).json()["type"] == "/problems/token-not-good"


def test_a_token_that_was_changed_is_nobody_s(site: Site) -> None:
    good = token(site, ADA)
    other = token(site, EVE)
    head, signature = good.rsplit(".", 1)
    spoilt = (
        head + "." + signature[:-3] + "abc",
        other.rsplit(".", 1)[0] + "." + signature,
        "gse_",
        "gse_x.y",
        "gse_é",
    )
    for bad in spoilt:
        answer = site.client().get(NOW, headers=[(b"authorization", f"Bearer {bad}".encode())])
        assert answer.json()["type"] == "/problems/token-not-good", bad


def test_a_token_opens_nothing_but_the_parts(site: Site) -> None:
    """Every other address there is: the pages, the API, the gateway, and what is nowhere."""
    for headers in ({}, {"origin": ORIGIN}):
        client = site.client(authorization=f"Bearer {token(site, ADA)}", **headers)
        others = [route for route in site.web.state.faces.routes if route.face != "embed"]
        assert len(others) > 100
        for route in others:
            for method in route.methods:
                answer = client.request(method, route.path.replace("{", "").replace("}", ""))
                assert answer.status_code == 403, (method, route.path)
        assert client.get("/v1/openapi.json").status_code == 403
        assert client.post("/nothing/here").status_code == 403


def test_a_key_or_a_cookie_opens_none_of_the_parts(site: Site) -> None:
    for client in (site.program(), site.browser()):
        answer = client.get(NOW, headers={"accept": "*/*"})
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/token-needed")
    assert site.client().get(NOW).status_code == 401


def test_no_token_is_kept_anywhere(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    secret = token(site, ADA)
    page(site, ADA).get(NOW)
    signature = secret.rsplit(".", 1)[1]
    with site.database.reading() as session:
        for table in METADATA.sorted_tables:
            rows = session.execute(text(f'SELECT * FROM "{table.name}"')).all()  # noqa: S608 - our own tables
            assert signature not in str(rows), table.name
    for path in site.home.root.rglob("*"):
        if path.is_file():
            assert signature.encode() not in path.read_bytes(), path
    assert signature not in caplog.text
    assert (site.home.secrets / "embed.key").stat().st_mode & 0o777 == 0o600
