"""Whose memory a training takes, and how it waits for it."""

from dataclasses import replace

import pytest
from tests.work import context_of

from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs import child, queue
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import Launch
from goldsmith.serve import queries as serve
from goldsmith.serve import resting, service
from goldsmith.serve.engine import EngineFiles
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train import memory
from goldsmith.train.tables import ENGINES_REST

from .small_training import ADA, add_training

CPU = MachineFacts("here", 2, 24_000_000_000, (), "x86_64")
TWO_GPUS = replace(CPU, gpus=("NVIDIA H100", "NVIDIA H100"))


@pytest.fixture
def job_id(database: Database, home: Home) -> str:
    """A training that has a slot, beside an engine of ours."""
    with database.transaction() as session:
        training = add_training(session, home, said=())
        service.want_engine(session, training.base_model_id, by=ADA)
        job = queue.claim(session, machine="here", slot="cpu")
        assert job is not None
        return job.id


@pytest.mark.parametrize(
    ("wish", "slot", "engine_gpu", "machine", "rests"),
    [
        ("auto", "cpu", None, CPU, False),
        ("always", "cpu", None, CPU, True),
        ("never", "gpu1", 1, TWO_GPUS, False),
        ("auto", "gpu1", 1, TWO_GPUS, True),
        ("auto", "gpu0", 1, TWO_GPUS, False),
        ("always", "gpu0", 1, TWO_GPUS, False),
        ("always", None, None, CPU, False),
    ],
)
def test_who_shares_memory_with_it_rests(
    database: Database,
    job_id: str,
    wish: str,
    slot: str | None,
    engine_gpu: int | None,
    machine: MachineFacts,
    rests: bool,
) -> None:
    with database.transaction() as session:
        job, engine = session.get_one(Job, job_id), serve.of_ours(session)[0]
        job.params, job.slot, engine.gpu = {**job.params, ENGINES_REST: wish}, slot, engine_gpu
        session.flush()
        assert memory.who_rests(session, job, machine) == ([engine] if rests else [])


def test_a_training_of_an_earlier_version_is_as_if_nothing_was_chosen(database: Database, job_id: str) -> None:
    with database.transaction() as session:
        job = session.get_one(Job, job_id)
        job.params = {name: value for name, value in job.params.items() if name != ENGINES_REST}
        assert memory.who_rests(session, job, CPU) == []


def test_it_takes_what_it_may_and_gives_it_back(database: Database, home: Home, job_id: str) -> None:
    with database.transaction() as session:
        job = session.get_one(Job, job_id)
        job.params = {**job.params, ENGINES_REST: "always"}
    context = context_of(database, home, job_id)
    memory.take(context, CPU)
    with database.reading() as session:
        assert [job.id for _, job in resting.at_rest(session)] == [job_id]
        engine_id = serve.of_ours(session)[0].id
    assert memory.give_back(context) == [engine_id]
    with database.reading() as session:
        assert resting.at_rest(session) == []


def test_an_engine_that_stays_fails_it_with_what_to_do(
    database: Database, home: Home, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "OUT_WITHIN_S", 0.1)
    with database.transaction() as session:
        job = session.get_one(Job, job_id)
        job.params = {**job.params, ENGINES_REST: "always"}
        files = EngineFiles.of(home, serve.of_ours(session)[0].id)
    process = child.start(Launch(("sleep", "60"), cwd=home.root, env={}), log=files.log, pid_file=files.pid_file)
    try:
        child.wait_for_pid_file(files.pid_file)
        with pytest.raises(JobFailed, match="needs its memory") as caught:
            memory.take(context_of(database, home, job_id), CPU)
    finally:
        child.kill(process)
    assert "Stop the engine under Settings" in caught.value.hint
