"""Keys over the API: made, listed, limited and revoked, and not by a key that could free itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.web.conftest import Site, make_site

from goldsmith.web.factory import Routers
from goldsmith.web.settings import api


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    found = make_site(tmp_path, Routers(api=[api.api]), database_url=database_url)
    yield found
    found.database.dispose()


def test_a_key_is_made_limited_and_revoked(site: Site) -> None:
    program = site.program()
    made = program.post("/v1/keys", json={"label": "invoices", "tokens_per_minute": 100})
    assert made.status_code == 201
    assert made.json()["key"].startswith("gsk_")
    key_id = made.json()["id"]
    listed = program.get("/v1/keys").json()["keys"]
    found = next(key for key in listed if key["id"] == key_id)
    assert (found["label"], found["person"], found["tokens_per_minute"]) == ("invoices", "Ada", 100)
    assert "key" not in found
    changed = program.post(f"/v1/keys/{key_id}/limits", json={"parallel_requests": 3}).json()
    assert (changed["parallel_requests"], changed["tokens_per_minute"]) == (3, None)
    assert program.post(f"/v1/keys/{key_id}/revoke").json()["revoked_at"] is not None


def test_a_key_with_limits_may_not_change_keys_itself_included(site: Site) -> None:
    program = site.program()
    made = program.post("/v1/keys", json={"label": "limited", "requests_per_minute": 5}).json()
    limited = site.client(authorization=f"Bearer {made['key']}")
    assert limited.get("/v1/keys").status_code == 200
    for path, body in (
        ("/v1/keys", {"label": "free"}),
        (f"/v1/keys/{made['id']}/limits", {}),
        (f"/v1/keys/{made['id']}/revoke", None),
    ):
        answer = limited.post(path, json=body)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/key-has-limits")


@pytest.mark.parametrize("body", [{"label": ""}, {"label": "a", "parallel_requests": 0}, {"label": "a", "x": 1}, {}])
def test_what_cannot_be_is_refused(site: Site, body: dict[str, object]) -> None:
    assert site.program().post("/v1/keys", json=body).status_code == 422


def test_a_key_that_is_not_there_is_not_found(site: Site) -> None:
    for verb in ("limits", "revoke"):
        assert site.program().post(f"/v1/keys/key_none/{verb}", json={}).status_code == 404
