from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.factories import make_base_model

from goldsmith import app
from goldsmith.cli.console import Cli
from goldsmith.cli.watching import ReceiptRefused, until_live, why_it_waits
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.tables import JobEvent
from goldsmith.serve import service
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.settings import Settings
from goldsmith.storage import clock


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    cli = Cli(as_name="Ada", is_json=True)
    parts = app.assemble(Settings(home=tmp_path / "home"))
    app.prepare_database(parts)
    cli.__dict__["parts"] = parts
    yield cli
    parts.database.dispose()


def deployed(cli: Cli) -> Deployment:
    with cli.transaction() as (session, person):
        return service.deploy(session, make_base_model(session, by=person).id, by=person)


def test_a_model_that_is_loaded_and_needs_no_proof_is_live(cli: Cli) -> None:
    deployment = deployed(cli)
    with cli.transaction() as (session, _):
        session.get_one(Deployment, deployment.id).state = "loaded"
    assert until_live(cli, deployment.model_id, within_s=5).id == deployment.id


def test_nobody_waits_for_an_engine_that_cannot_start(cli: Cli) -> None:
    deployment = deployed(cli)
    with cli.transaction() as (session, _):
        engine = session.get_one(Engine, deployment.engine_id)
        engine.state, engine.message = "failed", "there is no memory left"
    with pytest.raises(ReceiptRefused, match="there is no memory left"):
        until_live(cli, deployment.model_id, within_s=5)


def test_a_red_receipt_is_said(cli: Cli) -> None:
    deployment = deployed(cli)
    with cli.transaction() as (session, _):
        found = session.get_one(Deployment, deployment.id)
        found.proof, found.message = "refused", "The adapter changes nothing."
    with pytest.raises(ReceiptRefused, match="changes nothing"):
        until_live(cli, deployment.model_id, within_s=5)


def test_waiting_has_an_end(cli: Cli) -> None:
    with pytest.raises(ReceiptRefused, match="in time"):
        until_live(cli, deployed(cli).model_id, within_s=0.1)


def test_who_waits_where_nobody_does_the_work_is_told_what_to_run(cli: Cli) -> None:
    with cli.transaction() as (session, person):
        job = queue.add(session, NewJob("import", "Import a file", {}), by=person)
        assert why_it_waits(session) == "waits for its turn"
        long_ago = clock.now() - timedelta(seconds=10)
        job.created_at = long_ago
        session.execute(update(JobEvent).where(JobEvent.job_id == job.id).values(at=long_ago))
        assert "goldsmith up" in why_it_waits(session)
