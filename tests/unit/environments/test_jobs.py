"""An install is one job, whoever asks for it, and says how far it is."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from tests.unit.environments.test_folders import make_environment

from goldsmith.environments import jobs as environment_jobs
from goldsmith.environments import locks
from goldsmith.environments.errors import NoLockForThisMachine
from goldsmith.environments.jobs import EnvironmentKind, start_install
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import queries, queue
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.states import JobState
from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

TRL = EnvironmentName.TRL


def test_who_asks_while_it_is_being_installed_gets_the_same_job(database: Database, home: Home, person: Person) -> None:
    with database.transaction() as session:
        first = start_install(session, TRL, home=home.root, by=person)
        again = start_install(session, TRL, home=home.root, by=person)
        other = start_install(session, EnvironmentName.VLLM_CPU, home=home.root, by=person)
        assert first is not None
        assert first is again
        assert other is not first
        queue.move(session, first, JobState.CANCELLED, "test")
        assert start_install(session, TRL, home=home.root, by=person) is not first


def test_what_is_there_needs_no_job(database: Database, home: Home, person: Person) -> None:
    make_environment(home.root)
    with database.transaction() as session:
        assert start_install(session, TRL, home=home.root, by=person) is None
        assert queries.page(session, domain=person.domain) == []


@dataclass
class Watched:
    """What a job's program is given, as far as an install looks at it."""

    home: Home
    job: Any
    said: list[tuple[float | None, str | None]] = field(default_factory=list)

    def report(self, share: float | None, text: str | None) -> None:
        self.said.append((share, text))


def test_the_job_says_what_the_installer_says(
    database: Database, home: Home, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "this_target", lambda *_, **__: "cp311-linux-x86_64-cpu")
    make_environment(home.root)
    with database.transaction() as session:
        job = queue.add(session, queue.NewJob(environment_jobs.KIND, "Install", {}, subject_id="trl"), by=person)
        watched = Watched(home, queries.view(job))
    kind = EnvironmentKind(torch_index_url="http://127.0.0.1:9", env={})
    assert kind.work("install", cast(WorkContext, watched)) == {"size_bytes": 1_500}
    assert watched.said == [(1.0, "The environment trl is already there.")]


def test_a_machine_without_a_lock_ends_in_a_sentence(
    database: Database, home: Home, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "this_target", lambda *_, **__: "cp38-plan9-mips-cpu")
    with database.transaction() as session:
        job = queue.add(session, queue.NewJob(environment_jobs.KIND, "Install", {}, subject_id="trl"), by=person)
        watched = Watched(home, queries.view(job))
    with pytest.raises(NoLockForThisMachine, match="cp38-plan9"):
        EnvironmentKind(torch_index_url="", env={}).work("install", cast(WorkContext, watched))
