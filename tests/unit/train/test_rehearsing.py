"""A rehearsal as a job: prepared as its training, shortened once, concluded from what its program said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.work import context_of

from goldsmith import app
from goldsmith.environments import machine
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.costs import Rates
from goldsmith.jobs.folder import JobFolder
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train import queries, service
from goldsmith.train.errors import BackendUnknown, OptionsInvalid, RehearsalNotFound
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.rehearsing import WHOLE, RehearsalKind, forecast_of, shorten
from goldsmith.train.workshop import Workshop
from goldsmith.wire import order

from .small_training import ADA, add_training


@pytest.fixture
def workshop(home: Home) -> Workshop:
    return Workshop(home, app.make_backends(), machine.look())


@pytest.fixture
def kind() -> RehearsalKind:
    return RehearsalKind(
        backends=app.make_backends(),
        machine=machine.look(),
        python_of=lambda _: Path(sys.executable),
        parent_env=dict(os.environ),
        rates=Rates(usd_per_hour=3600.0),
    )


@pytest.fixture
def job_id(database: Database, home: Home, workshop: Workshop) -> str:
    """A rehearsal that waits."""
    with database.transaction() as session:
        add_training(session, home, said=())
        request = TrainRequest("tiny", "fake", "set_1", options={"num_epochs": 50, "step_s": 0.01, "batch_size": 1})
        return service.rehearse(session, request, workshop=workshop, by=ADA).id


def run(kind: RehearsalKind, database: Database, home: Home, job_id: str) -> None:
    """The heavy stage, as the supervisor starts it."""
    with database.reading() as session:
        view = jobs.view(jobs.one(session, job_id))
    launch = kind.launch(view, JobFolder.of(home, job_id))
    subprocess.run(launch.argv, cwd=launch.cwd, env=dict(launch.env), check=True, timeout=60)


def test_it_tells_what_fifty_rounds_take_from_one(
    database: Database, home: Home, kind: RehearsalKind, job_id: str
) -> None:
    kind.work("prepare", context_of(database, home, job_id))
    run(kind, database, home, job_id)
    result = kind.work("conclude", context_of(database, home, job_id))
    found = forecast_of(result)
    assert found is not None
    assert (found.num_steps, found.num_rehearsed) == (50, 1)
    assert found.duration_s > 0
    assert found.disk_mb >= 0
    assert result["cost"]["usd"] == pytest.approx(found.duration_s)
    assert result["engine"] == {"is_tried": False}
    folder = JobFolder.of(home, job_id)
    assert not any(path.exists() for path in (folder.checkpoints, folder.result, folder.data))


def test_a_death_in_its_midst_shortens_it_no_further(
    database: Database, home: Home, kind: RehearsalKind, job_id: str
) -> None:
    kind.work("prepare", context_of(database, home, job_id))
    folder = JobFolder.of(home, job_id)
    before = folder.order.read_bytes(), (folder.root / WHOLE).read_bytes()
    shorten(folder)
    kind.work("prepare", context_of(database, home, job_id))
    assert (folder.order.read_bytes(), (folder.root / WHOLE).read_bytes()) == before
    asked = order.read(folder.order)
    assert (asked.settings["num_epochs"], asked.learn.path) == (1, "data/rehearsed-learn.jsonl")


def test_what_a_start_refuses_is_refused(database: Database, home: Home, workshop: Workshop) -> None:
    with database.transaction() as session:
        add_training(session, home, said=())
        with pytest.raises(BackendUnknown):
            service.rehearse(session, TrainRequest("tiny", "none"), workshop=workshop, by=ADA)
        with pytest.raises(OptionsInvalid):
            service.rehearse(session, TrainRequest("tiny", options={"surprise": 1}), workshop=workshop, by=ADA)
        with pytest.raises(RehearsalNotFound):
            queries.rehearsal(session, "job_none", domain=ADA.domain)
