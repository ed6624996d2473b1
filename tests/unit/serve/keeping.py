"""A keeper that is ticked by hand over engines that are stand-ins, for the tests of what it does."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psutil
import pytest
from tests.work import context_of

from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import outside, queries, recording, service, wanted
from goldsmith.serve.engine import Program
from goldsmith.serve.engine_client import call
from goldsmith.serve.jobs import ProveKind
from goldsmith.serve.keeper import EngineKeeper, EngineSettings
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import FakeEngine


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


class Keeping:
    """A keeper that is ticked by hand, and a look at what it wrote."""

    def __init__(self, database: Database, home: Home, program: Program, **more: Any) -> None:
        self.database, self.home, self.program = database, home, program
        self.settings = EngineSettings(program, "cpu", **{"first_port": free_port(), "look_every_s": 0.2, **more})
        self.keeper = EngineKeeper(database, home, self.settings)

    def again(self, program: Program | None = None) -> "Keeping":
        """Another supervisor, after the first one died."""
        more = {"first_port": self.settings.first_port, "dead_after_s": self.settings.dead_after_s}
        return Keeping(self.database, self.home, program or self.program, **more)

    def until(self, is_so: Callable[[], object], within_s: float = 10.0, tick_within_s: float = 2.0) -> None:
        end = time.monotonic() + within_s
        while not is_so():
            began = time.monotonic()
            self.keeper.tick(clock.now())
            assert time.monotonic() - began < tick_within_s
            assert time.monotonic() < end, (self.engine().state, self.engine().message, self.deployments())
            time.sleep(0.02)

    def engines(self) -> list[Engine]:
        with self.database.reading() as session:
            return queries.of_ours(session)

    def states(self) -> list[str]:
        return [engine.state for engine in self.engines()]

    def engine(self) -> Engine:
        with self.database.reading() as session:
            return session.query(Engine).order_by(Engine.id.desc()).first()  # type: ignore[return-value]

    def deployment(self, model_id: str) -> Deployment:
        with self.database.reading() as session:
            return queries.deployment_of(session, model_id)

    def deployments(self) -> list[tuple[str, str, str]]:
        with self.database.reading() as session:
            return [(d.model_id, d.state, d.message) for d in queries.deployments(session)]

    def is_ready(self) -> bool:
        return self.engine().state == "ready"

    def is_loaded(self, model_id: str) -> bool:
        with self.database.reading() as session:
            return queries.target_for(session, model_id).is_ready

    def listed(self) -> set[str]:
        with self.database.reading() as session:
            target = queries.target_for(session, "bm_1")
        return set(call(target.url, target.read_key(self.home.root), lambda client: client.models()))

    def prove(self, model_id: str) -> dict[str, Any]:
        """Do the queued job as a worker would."""
        job_id = self.deployment(model_id).prove_job_id
        assert job_id is not None
        context = context_of(self.database, self.home, job_id)
        return dict(ProveKind().work("prove", context))


def make_scarce(keeping: Keeping, num_engines: int) -> None:
    """From now on the machine has memory for so many engines and no more."""

    def free_bytes() -> int:
        alive = sum(engine.pid is not None and psutil.pid_exists(engine.pid) for engine in keeping.engines())
        return (num_engines - alive) * 5 * 1024**3

    keeping.keeper = EngineKeeper(keeping.database, keeping.home, replace(keeping.settings, free_bytes=free_bytes))


@pytest.fixture
def keeping(database: Database, home: Home, fake_program: Program) -> Iterator[Keeping]:
    keeping = Keeping(database, home, fake_program)
    yield keeping
    keeping.keeper.stop_engines(within_s=2)


@pytest.fixture
def attached(database: Database, home: Home, fake_program: Program, base: BaseModel, by: Person) -> Iterator[Keeping]:
    """With an engine that is there already: no process to wait for."""
    with FakeEngine(base.id, base_folder=home.root / base.folder) as theirs:
        with database.transaction() as session:
            outside.attach_engine(session, theirs.url, base_model_id=base.id, by=by)
        yield Keeping(database, home, fake_program)


@pytest.fixture
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes between a crash and the next start."""
    for module in (wanted, recording):
        monkeypatch.setattr(module, "backoff", lambda num_crashes: timedelta(seconds=0))


def want(keeping: Keeping, base: BaseModel, by: Person) -> None:
    with keeping.database.transaction() as session:
        service.want_engine(session, base.id, by=by)


def deploy(keeping: Keeping, model: FineTunedModel, by: Person) -> None:
    with keeping.database.transaction() as session:
        service.deploy(session, model.id, by=by)
