"""The models that an application may offer, as its page wants them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.factories import make_base_model
from tests.web.conftest import Site, make_site
from tests.web.models.factories import make_tuned_model

import goldsmith.web.connect.api
from goldsmith.serve import service
from goldsmith.serve.tables import Engine
from goldsmith.web.factory import Routers

ADDRESS = "/api/models/available"


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_site(tmp_path, Routers([], [goldsmith.web.connect.api.api]), database_url=database_url)
    yield made
    made.database.dispose()


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.program()


def test_there_is_nothing_to_choose_before_a_model_came_in(client: TestClient) -> None:
    assert client.get(ADDRESS).json() == {"models": []}


def test_tuned_models_come_first_with_what_was_measured_and_bases_with_their_size(
    site: Site, client: TestClient
) -> None:
    with site.database.transaction() as session:
        base = make_base_model(session, by=site.person)
        base.size_bytes = 269_000_000
        tuned = make_tuned_model(session, base, by=site.person)
        tuned.win_rate = 0.75
        gone = make_tuned_model(session, base, by=site.person, name="gone")
        gone.status = "archived"
    first, second = client.get(ADDRESS).json()["models"]
    assert (first["id"], first["type"], first["status"]) == (tuned.id, "fine_tuned", "available")
    assert (first["win_rate"], first["base_model"]) == (0.75, tuned.base_model)
    assert (first["version"], first["deployed_at"]) == (tuned.version, None)
    assert second == {"type": "base", "id": base.id, "name": base.name, "status": "available", "size_gb": 0.269}


def test_what_answers_now_is_deployed(site: Site, client: TestClient) -> None:
    with site.database.transaction() as session:
        base = make_base_model(session, by=site.person)
        deployment = service.deploy(session, base.id, by=site.person)
        deployment.state = "loaded"
        session.get_one(Engine, deployment.engine_id).state = "ready"
    assert [model["status"] for model in client.get(ADDRESS).json()["models"]] == ["deployed"]


def test_a_program_without_a_key_learns_nothing(site: Site) -> None:
    assert site.client().get(ADDRESS).status_code == 401


def test_what_lives_at_a_provider_is_not_offered_because_a_candidate_s_data_stays_here(
    site: Site, client: TestClient
) -> None:
    with site.database.transaction() as session:
        base = make_base_model(session, by=site.person, source="provider")
        make_tuned_model(session, base, by=site.person)
    assert client.get(ADDRESS).json() == {"models": []}
