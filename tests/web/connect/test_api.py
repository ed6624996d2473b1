"""Aristotle's stars over the API: an export, examples for a prompt, and nobody else's rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.aristotle import MakeSynthetic, make_synthetic, url_of
from tests.web.conftest import Site, make_site

import goldsmith.web.connect.api
import goldsmith.web.stars.api
from goldsmith.connect.aristotle import Aristotle
from goldsmith.people import service as people
from goldsmith.testing.aristotle import SYSTEM, SyntheticAristotle
from goldsmith.web.factory import Routers

__all__ = ["make_synthetic"]
SCOPE = {"philosopher": "ada@acme.example", "domain": "acme.example"}
EXPORT, EXAMPLES = "/v1/fine-tuning/datasets/export", "/v1/icl/examples"
EVIL = ("' OR '1'='1", '"; DROP TABLE conquests; --', "%", "x\x00y", "\u202e", "x" * 300)

pytestmark = pytest.mark.postgresql


@pytest.fixture
def synthetic(make_synthetic: MakeSynthetic) -> SyntheticAristotle:
    return make_synthetic("V2")


@pytest.fixture
def url(synthetic: SyntheticAristotle) -> str:
    synthetic.fill(12, philosopher=SCOPE["philosopher"], domain=SCOPE["domain"])
    synthetic.fill(5, philosopher="eve@evil.example", domain="evil.example", seed=2)
    return url_of(synthetic)


@pytest.fixture
def site(tmp_path: Path, database_url: str, url: str) -> Iterator[Site]:
    offers = {"sources": {"aristotle": lambda: Aristotle.at(url)}}
    routers = Routers([], [goldsmith.web.stars.api.api, goldsmith.web.connect.api.api])
    made = make_site(tmp_path, routers, database_url=database_url, offers=offers)
    yield made
    made.database.dispose()


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.program()


def export(client: TestClient, **body: Any) -> Any:
    answer = client.post(EXPORT, json={**SCOPE, "system_message": SYSTEM, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize("set_format", ["chatml", "openai", "alpaca"])
def test_gold_conquests_become_a_training_set(client: TestClient, site: Site, set_format: str) -> None:
    made = export(client, format=set_format)
    assert (made["count"], made["format"], made["philosopher"]) == (12, set_format, SCOPE["philosopher"])
    assert (site.home.root / made["path"]).read_bytes().count(b"\n") == made["num_learn"]
    assert SYSTEM in client.get(made["file"]).text
    assert export(client, format=set_format)["id"] == made["id"], "the same stars are the same set"


def test_every_row_leads_back_to_its_conquest(client: TestClient) -> None:
    made = export(client)
    rows = [
        row
        for side in ("learn", "exam")
        for row in client.get(f"/v1/training-sets/{made['id']}/rows", params={"side": side}).json()["rows"]
    ]
    assert len({row["conquest_id"] for row in rows}) == 12
    assert all(row["conquest_id"].startswith("conquest_") for row in rows)


def test_type_limit_and_rating_are_obeyed(client: TestClient) -> None:
    assert export(client, conquest_type="candidate_evaluation", limit=7, min_rating=5)["count"] == 7
    none = client.post(EXPORT, json={**SCOPE, "conquest_type": "CUSTOM", "system_message": ""})
    assert (none.status_code, none.json()["type"]) == (422, "/problems/no-stars")
    assert "none of the type" in none.json()["detail"]
    unknown = client.post(EXPORT, json={**SCOPE, "conquest_type": "poetry"})
    assert unknown.json()["type"] == "/problems/conquest-type-unknown"


def test_the_system_message_must_be_said_once(client: TestClient) -> None:
    refused = client.post(EXPORT, json=SCOPE)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/system-message-not-chosen")
    first = export(client)
    assert client.post(EXPORT, json=SCOPE).json()["id"] == first["id"]


def test_what_is_missing_is_said(client: TestClient) -> None:
    alone = client.post(EXPORT, json={"source": "aristotle", "philosopher": "ada@acme.example"})
    assert alone.json()["type"] == "/problems/export-not-possible"
    own = client.post(EXPORT, json={**SCOPE, "source": "goldsmith", "limit": 3})
    assert "for stars of Aristotle's alone" in own.json()["detail"]
    elsewhere = client.post(EXPORT, json={**SCOPE, "domain": "else.example"})
    assert "they stand under another domain" in elsewhere.json()["detail"]


@pytest.mark.parametrize("evil", EVIL)
def test_no_value_of_the_api_is_ever_sql(client: TestClient, synthetic: SyntheticAristotle, evil: str) -> None:
    for name in ("philosopher", "domain", "conquest_type"):
        for answer in (
            client.post(EXPORT, json={**SCOPE, "system_message": "", name: evil}),
            client.get(EXAMPLES, params={**SCOPE, name: evil}),
        ):
            assert answer.status_code in (200, 422), answer.text
            assert answer.status_code == 422 or answer.json()["count"] == 0
            assert "eve@evil" not in answer.text
    assert client.get(EXAMPLES, params={**SCOPE, "limit": 100}).json()["count"] == 12


@pytest.mark.parametrize("set_format", ["chatml", "openai", "alpaca"])
def test_examples_for_a_prompt(client: TestClient, set_format: str) -> None:
    found = client.get(EXAMPLES, params={**SCOPE, "limit": 3, "format": set_format}).json()
    assert (found["count"], found["format"], len(found["examples"])) == (3, set_format, 3)
    assert ("output" if set_format == "alpaca" else "messages") in found["examples"][0]
    assert client.get(EXAMPLES, params={**SCOPE, "conquest_type": "CUSTOM"}).json()["examples"] == []
    for wrong in ({"limit": 0}, {"limit": 101}, {"format": "xml"}, {"unknown": 1}):
        assert client.get(EXAMPLES, params={**SCOPE, **wrong}).status_code == 422


def test_people_of_another_organisation_get_nothing(site: Site) -> None:
    with site.database.transaction() as session:
        eve = people.known_by_name(session, "Eve", domain="evil.example")
        _, key = people.add_key(session, "eve's", by=eve)
    program = site.client(authorization=f"Bearer {key}")
    for answer in (program.post(EXPORT, json=SCOPE), program.get(EXAMPLES, params=SCOPE)):
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-your-scope")
    own = {"philosopher": "eve@evil.example", "domain": "evil.example"}
    assert program.get(EXAMPLES, params=own).json()["count"] == 5


def test_a_lost_column_is_named_and_a_lost_server_too(client: TestClient, synthetic: SyntheticAristotle) -> None:
    with synthetic.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {synthetic.names.answer} DROP COLUMN data")
    answer = client.get(EXAMPLES, params=SCOPE)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/schema-not-known")
    assert f"the column data in {synthetic.names.answer}" in answer.json()["detail"]
