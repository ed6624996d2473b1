"""What a source may do with its token: say that something has changed there, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.syncing import Syncs
from tests.web.conftest import Site, make_site

from goldsmith.connect.syncing import queries
from goldsmith.connect.syncing.telling import HookMint
from goldsmith.web.factory import Routers
from goldsmith.web.sources import api, hooks


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_site(tmp_path, Routers([], [api.api], hooks=[hooks.api]), database_url=database_url)
    yield made
    made.database.dispose()


@pytest.fixture
def syncs(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Syncs:
    return Syncs(site.database, site.home, site.person, tmp_path_factory.mktemp("outside"))


def test_a_source_s_token_says_that_something_changed_and_opens_nothing_else(site: Site, syncs: Syncs) -> None:
    connection, other = syncs.connect_folder(), syncs.connect_folder(name="other")
    token = HookMint(site.home).make(connection)
    source = site.client(authorization=f"Bearer {token}")
    told = source.post(f"/v1/hooks/sources/{connection.id}", json={"action": "ANNOTATION_CREATED"})
    assert (told.status_code, told.json()) == (202, {"source": connection.id, "is_read_soon": True})
    with site.database.reading() as session:
        assert queries.one(session, connection.id, domain="local").next_sync_at is not None
        assert queries.one(session, other.id, domain="local").next_sync_at is None
    assert source.post(f"/v1/hooks/sources/{other.id}", json={}).json()["type"] == "/problems/connection-not-found"
    for method, path in (("GET", "/v1/sources"), ("POST", f"/v1/sources/{connection.id}/sync"), ("GET", "/readyz")):
        answer = source.request(method, path)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/token-only-tells"), path
    wrong = token[:-9] + ("b" if token[-9] == "a" else "a") + token[-8:]
    forged = site.client(authorization=f"Bearer {wrong}").post(f"/v1/hooks/sources/{connection.id}", json={})
    assert (forged.status_code, forged.json()["type"]) == (401, "/problems/token-not-good")
    with site.database.transaction() as session:
        queries.one(session, connection.id, domain="local").removed_at = connection.created_at
    assert source.post(f"/v1/hooks/sources/{connection.id}", json={}).status_code == 404
    assert site.program().post(f"/v1/hooks/sources/{other.id}", json={}).status_code == 202, "a key may say it, too"
