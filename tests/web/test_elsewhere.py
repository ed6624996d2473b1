"""Pages of other applications: only those that are named may read anything, and only what was made for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import ORIGIN, Site
from tests.web.embed.applications import ADA, HOST, make_goldsmith, token

NOW, SCRIPT = "/v1/embed/now", "/static/embed/elements.js"
OTHERS = (
    "http://localhost:4001",
    "https://localhost:4000",
    "http://localhost:4000.evil.example",
    "http://evil.example",
    "http://localhost",
    "null",
    "",
)
ASKS = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_goldsmith(tmp_path)
    yield made
    made.database.dispose()


def shown_to(headers: object) -> list[str]:
    """What an answer says to the browsers of other pages."""
    assert hasattr(headers, "items")
    return [name for name, _ in headers.items() if name.startswith("access-control-")]


def test_a_page_that_is_named_may_ask_and_read(site: Site) -> None:
    asked = site.client(origin=HOST).options(NOW, headers=ASKS)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, HOST)
    assert asked.headers["access-control-allow-methods"] == "GET"
    assert asked.headers["access-control-allow-headers"] == "authorization, content-type"
    got = site.client(origin=HOST, authorization=f"Bearer {token(site, ADA)}").get(NOW)
    assert (got.status_code, got.headers["access-control-allow-origin"], got.headers["vary"]) == (200, HOST, "origin")
    assert got.headers["cross-origin-resource-policy"] == "cross-origin"


def test_no_page_may_send_or_get_cookies(site: Site) -> None:
    for answer in (
        site.client(origin=HOST).options(NOW, headers=ASKS),
        site.client(origin=HOST, authorization=f"Bearer {token(site, ADA)}").get(NOW),
    ):
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("origin", OTHERS)
def test_a_page_that_is_not_named_is_refused_before_and_when_it_asks(site: Site, origin: str) -> None:
    good = {"authorization": f"Bearer {token(site, ADA)}", "origin": origin}
    for answer in (
        site.client(origin=origin).options(NOW, headers=ASKS),
        site.client(**good).get(NOW),
        site.client(**good).post("/v1/embed/deployments", json={"model_id": "x"}),
        site.client(origin=origin).get(SCRIPT),
    ):
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"] == "/problems/foreign-origin"
        assert shown_to(answer.headers) == []


def test_nothing_is_opened_where_nobody_is_named(tmp_path: Path) -> None:
    site = make_goldsmith(tmp_path, origins=())
    assert site.client(origin=HOST).options(NOW, headers=ASKS).status_code == 403
    assert site.client(origin=HOST).get(SCRIPT).status_code == 403
    site.database.dispose()


def test_a_named_page_gets_nothing_but_what_was_made_for_it(site: Site) -> None:
    """Not even with a key, nor with the cookie of somebody who has Goldsmith open beside it."""
    others = [route for route in site.web.state.faces.routes if route.face != "embed"]
    for client in (site.program(), site.browser()):
        for route in others:
            path = route.path.replace("{", "").replace("}", "")
            for method in sorted(route.methods):
                asked = {"origin": HOST, "access-control-request-method": method}
                for answer in (
                    client.options(path, headers=asked),
                    client.request(method, path, headers={"origin": HOST}),
                ):
                    assert answer.status_code == 403, (method, path)
                    assert shown_to(answer.headers) == []


def test_a_cookie_says_nothing_on_another_application_s_page(site: Site) -> None:
    answer = site.browser().get(NOW, headers={"origin": HOST})
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/not-signed-in")


def test_the_script_is_loaded_by_named_pages_alone_and_as_a_module(site: Site) -> None:
    got = site.client(origin=HOST).get(SCRIPT)
    assert (got.status_code, got.headers["access-control-allow-origin"]) == (200, HOST)
    assert got.headers["content-type"].startswith("text/javascript")
    assert site.client(**{"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}).get(SCRIPT).status_code == 403
    assert site.client(origin=HOST).get("/static/goldsmith.js").status_code == 403
    assert site.client().get(SCRIPT).headers["vary"] == "origin"  # a copy that is kept is no other page's


def test_a_path_that_only_looks_like_the_script_s_is_not_opened(site: Site) -> None:
    for path in (
        "/static/embed/../goldsmith.js",
        "/static/embed/%2e%2e/goldsmith.js",
        "/static/embed/..%2fgoldsmith.js",
    ):
        assert site.client(origin=HOST).get(path).status_code == 403, path


def test_private_addresses_may_be_reached_from_a_public_page_that_is_named(site: Site) -> None:
    asks = {**ASKS, "access-control-request-private-network": "true"}
    asked = site.client(origin=HOST).options(NOW, headers=asks)
    assert asked.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-private-network" not in site.client(origin=HOST).options(NOW, headers=ASKS).headers


def test_nobody_shows_a_page_of_ours_in_a_frame_whether_named_or_not(site: Site) -> None:
    for origin in (ORIGIN, HOST):
        headers = site.client(origin=origin).get("/static/embed/elements.js").headers
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "SAMEORIGIN"
