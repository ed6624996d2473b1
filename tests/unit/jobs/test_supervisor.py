"""Jobs end as they should, whatever dies: supervisor, worker, heavy child or the way to the database."""

import hashlib
import signal
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session
from tests import postgresql
from tests.factories import MakeDatabase
from tests.invariants import assert_hold
from tests.unit.jobs.small_parts import ScriptJob, make_supervisor, start_supervisor

from goldsmith.jobs import child, program, queries, queue
from goldsmith.jobs.closing import closing
from goldsmith.jobs.errors import SupervisorRunning
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.supervisor import Supervisor
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.jobs.types import JobFailure, Stage, StopRequest
from goldsmith.people.tables import PersonRow
from goldsmith.people.types import Person
from goldsmith.storage import database as database_module
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.wire import events
from goldsmith.wire.order import DataFile, Order
from goldsmith.wire.rows import Row

ADA = Person("per_1", "Ada")
SAY = """
import os, pathlib, signal, sys, time
from goldsmith.wire.events import EventKind, Writer
say = Writer(pathlib.Path(sys.argv[1])).append
"""


@pytest.fixture(autouse=True)
def _nothing_stays(database: Database, home: Home) -> Iterator[None]:
    yield
    assert_hold(database, home)
    for pid_file in home.jobs.glob("*/attempts/*/*.pid"):
        process = child.find_by_pid_file(pid_file)
        if process is not None:
            child.kill(process)
            wait_until(lambda process=process: not child.is_alive(process))  # type: ignore[misc]


GONE = JobFailure("machine_gone", "It stopped reporting.", "Look after it.")


def wait_until(is_so: Callable[[], object], timeout_s: float = 20) -> None:
    end = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.02)


def ask_for(database: Database, kind: str, **params: Any) -> str:
    with database.transaction() as session:
        return queue.add(session, NewJob(kind, f"a {kind} job", params), by=ADA).id


def script(*lines: str) -> str:
    return "\n".join([SAY, *(textwrap.dedent(line) for line in lines)])


def look(database: Database, job_id: str) -> Job:
    with database.reading() as session:
        return queries.one(session, job_id)


def is_over(database: Database, job_id: str) -> bool:
    return JobState(look(database, job_id).state).is_over


def tick_until(supervisor: Supervisor, is_so: Callable[[], object]) -> None:
    def tick_and_look() -> object:
        supervisor.tick()
        return is_so()

    wait_until(tick_and_look)


def run_to_the_end(supervisor: Supervisor, database: Database, job_id: str) -> Job:
    tick_until(supervisor, lambda: is_over(database, job_id))
    return look(database, job_id)


def stop(database: Database, job_id: str, request: StopRequest) -> None:
    with database.transaction() as session:
        queue.ask_to_stop(session, queries.one(session, job_id), request)


def again(database: Database, job_id: str) -> None:
    with database.transaction() as session:
        queue.again(session, queries.one(session, job_id), "asked for again")


def prepare_training(home: Home, job_id: str, *, num_rows: int = 20, **settings: Any) -> JobFolder:
    folder = JobFolder.of(home, job_id)
    folder.data.mkdir(parents=True)
    rows = [Row(f"row_{number}", [5, 6, 7 + number], [-100, -100, 7 + number]) for number in range(num_rows)]
    content = "".join(row.to_line() for row in rows).encode()
    (folder.data / "learn.jsonl").write_bytes(content)
    learn = DataFile("data/learn.jsonl", hashlib.sha256(content).hexdigest(), num_rows, 3 * num_rows, num_rows)
    order = Order(
        job_id=job_id,
        program="goldsmith.trainers.fake",
        model_id="ftm_1",
        model_name="a model",
        base_model_id="bm_1",
        base_model_name="tiny",
        base_model_folder="nowhere",
        base_model_hash="0",
        template_hash="0",
        learn=learn,
        exam=None,
        settings={"batch_size": 1, "num_epochs": 1, "save_every_steps": 2, "step_s": 0.0, **settings},
        device="cpu",
    )
    folder.order.write_text(order.to_json(), encoding="utf-8")
    program.copy_program(folder)
    return folder


def ask_for_training(database: Database, home: Home, **settings: Any) -> tuple[str, JobFolder]:
    job_id = ask_for(database, "train")
    return job_id, prepare_training(home, job_id, **settings)


def steps_of(folder: JobFolder, attempt: int) -> list[int]:
    return [event.data["step"] for event in events.read(folder.events(attempt)) if event.kind == "step"]


# How stages end


def test_a_training_is_done_and_checked_and_its_events_count_without_a_gap(database: Database, home: Home) -> None:
    job_id, folder = ask_for_training(database, home)
    job = run_to_the_end(make_supervisor(database, home), database, job_id)
    assert (job.state, job.attempt, job.result, job.progress) == ("succeeded", 1, {"steps": 20}, 1.0)
    with database.reading() as session:
        recorded = [event.seq for event in queries.events(session, job_id) if event.source == "train"]
    assert recorded == list(range(1, len(events.read(folder.events(1))) + 1))


def test_a_light_stage_that_fails_says_why(database: Database, home: Home) -> None:
    job = run_to_the_end(make_supervisor(database, home), database, ask_for(database, "light", do="fail"))
    assert (job.state, job.attempt) == ("failed", 1)
    assert job.failure is not None
    assert (job.failure["kind"], job.failure["summary"]) == ("impossible", "It cannot be done.")
    assert job.failure["hint"] == "Do something else."


def test_a_light_stage_that_meets_something_unexpected_fails_with_its_log(database: Database, home: Home) -> None:
    job = run_to_the_end(make_supervisor(database, home), database, ask_for(database, "light", do="raise"))
    assert job.state == "failed"
    assert job.failure is not None
    assert job.failure["kind"] == "unexpected"
    assert "nobody thought of this" in job.failure["log_tail"]


@pytest.mark.parametrize("kind", ["light", "script"])
def test_exit_0_without_a_word_is_no_success(database: Database, home: Home, kind: str) -> None:
    job_id = ask_for(database, kind, do="exit_0", script="print('all is well')")
    job = run_to_the_end(make_supervisor(database, home), database, job_id)
    assert job.state == "failed"
    assert job.failure is not None
    assert job.failure["kind"] == "no_result"


def test_a_training_that_claims_success_without_a_result_fails(database: Database, home: Home) -> None:
    job_id, _ = ask_for_training(database, home, behaviour="exit_0_without_adapter")
    job = run_to_the_end(make_supervisor(database, home), database, job_id)
    assert job.failure is not None
    assert (job.state, job.failure["kind"]) == ("failed", "result_not_whole")


def test_what_a_training_says_about_its_failure_is_kept(database: Database, home: Home) -> None:
    job_id, _ = ask_for_training(database, home, behaviour="fail_at:3")
    job = run_to_the_end(make_supervisor(database, home), database, job_id)
    assert job.failure is not None
    assert (job.state, job.attempt, job.failure["kind"]) == ("failed", 1, "told_to_fail")


def test_three_deaths_at_the_same_step_end_a_job(database: Database, home: Home) -> None:
    job_id, folder = ask_for_training(database, home, behaviour="half_line", save_every_steps=100)
    job = run_to_the_end(make_supervisor(database, home), database, job_id)
    assert job.failure is not None
    assert (job.state, job.attempt, job.failure["kind"]) == ("failed", 3, "died")
    assert [steps_of(folder, attempt) for attempt in (1, 2, 3)] == [[1], [1], [1]] or steps_of(folder, 3) == [1, 2]


def test_half_a_line_is_no_event(database: Database, home: Home) -> None:
    half = script("say(EventKind.LOG, text='whole')", 'open(sys.argv[1], \'a\').write(\'{"seq": 2, "kind": "succ\')')
    job_id = ask_for(database, "script", script=half)
    job = run_to_the_end(make_supervisor(database, home), database, job_id)
    assert (job.state, job.message) == ("failed", "whole")


def test_a_program_that_prints_100_mb_disturbs_nobody(database: Database, home: Home) -> None:
    job_id, folder = ask_for_training(database, home, behaviour="print_100mb", num_rows=4)
    job = run_to_the_end(make_supervisor(database, home), database, job_id)
    assert job.state == "succeeded"
    assert folder.log(1).stat().st_size > 99_000_000
    folder.log(1).unlink()


def test_a_program_that_cannot_be_started_fails_its_job_with_a_sentence(database: Database, home: Home) -> None:
    job_id = ask_for(database, "train")  # without its folder
    job = run_to_the_end(make_supervisor(database, home), database, job_id)
    assert job.failure is not None
    assert (job.state, job.failure["kind"]) == ("failed", "cannot_start")


def test_a_kind_that_nobody_knows_fails_with_a_sentence_and_others_go_on(database: Database, home: Home) -> None:
    unknown = ask_for(database, "alchemy")
    known = ask_for(database, "script", script=script("say(EventKind.SUCCEEDED)"))
    supervisor = make_supervisor(database, home)
    assert run_to_the_end(supervisor, database, known).state == "succeeded"
    failure = run_to_the_end(supervisor, database, unknown).failure
    assert failure is not None
    assert "alchemy" in failure["summary"]


def test_events_that_make_no_sense_are_passed_over(database: Database, home: Home) -> None:
    strange = script(
        "say(EventKind.STEP, step='many', total_steps=[1])",
        "say(EventKind.LOG)",
        """
        with open(sys.argv[1], 'a') as file:
            for at in ('1e300', '-1e300'):
                print('{"seq": 3, "at": ' + at + ', "kind": "log", "data": {"text": "when?"}}', file=file)
            print('{"seq": 3, "at": 5, "kind": "log", "data": {"text": "again 3"}}', file=file)
            print('{"seq": 99999999999999999999, "at": 5, "kind": "log", "data": {"text": "high"}}', file=file)
        """,
        "say(EventKind.LOG, text='a\\0b')",
        "say(EventKind.SUCCEEDED)",
    )
    job = run_to_the_end(make_supervisor(database, home), database, ask_for(database, "script", script=strange))
    assert job.state == "succeeded"


def test_two_heavy_stages_in_one_kind_are_refused(database: Database, home: Home) -> None:
    class Two(ScriptJob):
        stages: ClassVar[tuple[Stage, ...]] = (Stage("one", is_heavy=True), Stage("two", is_heavy=True))

    with pytest.raises(ValueError, match="two heavy stages"):
        make_supervisor(database, home, kinds={"script": Two()})


def test_trouble_with_one_job_stays_with_it(database: Database, home: Home) -> None:
    def raise_it(_session: Session, _job: Job) -> None:
        raise RuntimeError("this job's own table is broken")

    done = script("say(EventKind.SUCCEEDED)")
    first = ask_for(database, "script", script=done)
    second = ask_for(database, "light", do="count", until=1)
    troubled = Database(database.url, session_info={"mirrors": {"script": raise_it}})
    supervisor = make_supervisor(troubled, home)
    with database.transaction() as session:  # claimed before the trouble began
        claimed = queue.claim(session, machine=supervisor.machine, slot=None)
        assert claimed is not None
        assert claimed.id == min(first, second)
        if claimed.id != first:
            queue.claim(session, machine=supervisor.machine, slot=None)
    assert run_to_the_end(supervisor, database, second).state == "succeeded"
    assert not is_over(database, first)
    troubled.dispose()


# Stopping


def test_a_pause_keeps_what_was_done_and_a_resume_goes_on_there(database: Database, home: Home) -> None:
    job_id, folder = ask_for_training(database, home, step_s=0.05, num_rows=60)
    supervisor = make_supervisor(database, home)
    tick_until(supervisor, lambda: look(database, job_id).state == "running")
    wait_until(lambda: len(steps_of(folder, 1)) >= 3)
    stop(database, job_id, StopRequest.PAUSE)
    job = run_to_the_end(supervisor, database, job_id)
    assert (job.state, job.pid, job.stop_requested) == ("paused", None, None)
    again(database, job_id)
    job = run_to_the_end(supervisor, database, job_id)
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert steps_of(folder, 1) + steps_of(folder, 2) == list(range(1, 61))


def test_a_training_that_is_to_keep_its_best_succeeds_early(database: Database, home: Home) -> None:
    job_id, folder = ask_for_training(database, home, step_s=0.05, num_rows=60)
    supervisor = make_supervisor(database, home)
    tick_until(supervisor, lambda: look(database, job_id).state == "running")
    wait_until(lambda: len(steps_of(folder, 1)) >= 3)
    stop(database, job_id, StopRequest.KEEP)
    job = run_to_the_end(supervisor, database, job_id)
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert len(steps_of(folder, 1)) < 60


def test_what_was_paused_is_finished_with_what_it_had(database: Database, home: Home) -> None:
    job_id, folder = ask_for_training(database, home, step_s=0.05, num_rows=60)
    supervisor = make_supervisor(database, home)
    tick_until(supervisor, lambda: look(database, job_id).state == "running")
    wait_until(lambda: len(steps_of(folder, 1)) >= 3)
    stop(database, job_id, StopRequest.PAUSE)
    assert run_to_the_end(supervisor, database, job_id).state == "paused"
    stop(database, job_id, StopRequest.KEEP)
    assert run_to_the_end(supervisor, database, job_id).state == "succeeded"
    assert steps_of(folder, 2) == []


def test_a_light_stage_stops_when_asked(database: Database, home: Home) -> None:
    job_id = ask_for(database, "light", do="wait")
    supervisor = make_supervisor(database, home)
    log = JobFolder.of(home, job_id).attempt(1)
    tick_until(supervisor, lambda: look(database, job_id).state == "running" and (log / "only.pid").exists())
    stop(database, job_id, StopRequest.CANCEL)
    assert run_to_the_end(supervisor, database, job_id).state == "cancelled"


def test_while_the_home_folder_is_being_closed_what_waits_keeps_waiting(database: Database, home: Home) -> None:
    job_id = ask_for(database, "light", do="count", until=1)
    supervisor = make_supervisor(database, home)
    with closing(home):
        for _ in range(3):
            supervisor.tick()
        assert look(database, job_id).state == "queued"
    assert run_to_the_end(supervisor, database, job_id).state == "succeeded"


@pytest.mark.parametrize("behaviour", ["hang", "ignore_term"])
def test_a_program_that_does_not_stop_is_killed(database: Database, home: Home, behaviour: str) -> None:
    job_id, folder = ask_for_training(database, home, behaviour=behaviour, step_s=0.05, num_rows=500)
    supervisor = make_supervisor(database, home, kill_after_s=0.3)
    tick_until(supervisor, lambda: "phase" in [event.kind for event in events.read(folder.events(1))])
    process = child.find_by_pid_file(folder.pid_file(1, "train"))
    assert process is not None
    time.sleep(0.1)
    stop(database, job_id, StopRequest.CANCEL)
    job = run_to_the_end(supervisor, database, job_id)
    assert job.state == "cancelled"
    assert child.exit_code(process.pid) == -signal.SIGKILL


def test_a_program_that_said_its_last_word_and_stays_is_killed_and_counts(database: Database, home: Home) -> None:
    job_id = ask_for(database, "script", script=script("say(EventKind.SUCCEEDED)", "time.sleep(60)"))
    job = run_to_the_end(make_supervisor(database, home, kill_after_s=0.2), database, job_id)
    assert job.state == "succeeded"


def test_a_job_that_is_cancelled_before_its_program_starts_starts_none(database: Database, home: Home) -> None:
    job_id = ask_for(database, "light", do="wait")
    supervisor = make_supervisor(database, home)
    with database.transaction() as session:
        queue.claim(session, machine=supervisor.machine, slot=None)
    stop(database, job_id, StopRequest.CANCEL)
    assert run_to_the_end(supervisor, database, job_id).state == "cancelled"
    assert not JobFolder.of(home, job_id).attempt(1).exists()


# Deaths


def test_a_killed_training_goes_on_at_its_checkpoint(database: Database, home: Home) -> None:
    job_id, folder = ask_for_training(database, home, step_s=0.05, num_rows=60)
    supervisor = make_supervisor(database, home)
    tick_until(supervisor, lambda: look(database, job_id).state == "running")
    wait_until(lambda: len(steps_of(folder, 1)) >= 5)
    process = child.find_by_pid_file(folder.pid_file(1, "train"))
    assert process is not None
    child.kill(process)
    job = run_to_the_end(supervisor, database, job_id)
    assert (job.state, job.attempt, job.num_deaths, job.result) == ("succeeded", 2, 0, {"steps": 60})
    first, second = steps_of(folder, 1), steps_of(folder, 2)
    assert second[0] > 4
    assert first[: second[0] - 1] + second == list(range(1, 61))


def test_a_killed_worker_goes_on_where_the_database_says(database: Database, home: Home) -> None:
    job_id = ask_for(database, "light", do="count", until=30)
    supervisor = make_supervisor(database, home)
    tick_until(supervisor, lambda: num_rows(database, job_id) >= 5)
    process = child.find_by_pid_file(JobFolder.of(home, job_id).pid_file(1, "only"))
    assert process is not None
    child.kill(process)
    job = run_to_the_end(supervisor, database, job_id)
    assert (job.state, job.attempt, num_rows(database, job_id)) == ("succeeded", 2, 30)


def num_rows(database: Database, job_id: str) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).where(PersonRow.domain == job_id)) or 0


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_supervisor_killed_in_mid_start_is_followed_by_one_that_adopts(
    database: Database, home: Home, tmp_path: Path, is_recorded: bool
) -> None:
    starts, go = tmp_path / "starts", tmp_path / "go"
    first = f"open({str(starts)!r}, 'a').write(str(os.getpid()) + '\\n')"
    wait = f"""
        while not os.path.exists({str(go)!r}):
            time.sleep(0.01)
    """
    job_id = ask_for(
        database, "script", script=script(first, wait, "say(EventKind.STARTED)", "say(EventKind.SUCCEEDED)")
    )
    one = start_supervisor(database, home)
    wait_until(starts.exists)
    if is_recorded:
        wait_until(lambda: look(database, job_id).pid is not None)
    one.kill()
    one.wait()
    if not is_recorded:
        with database.transaction() as session:
            job = queries.one(session, job_id)
            job.state, job.pid, job.pid_started_at, job.pid_booted_at = "starting", None, None, None
            session.execute(delete(JobEvent).where(JobEvent.job_id == job_id, JobEvent.kind == "running"))
    supervisor = make_supervisor(database, home)
    tick_until(supervisor, lambda: look(database, job_id).pid is not None)
    assert [look(database, job_id).pid] == [int(line) for line in starts.read_text().split()]
    go.touch()
    job = run_to_the_end(supervisor, database, job_id)
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert len(starts.read_text().split()) == 1


def test_a_supervisor_killed_before_the_child_was_started_is_followed_by_one_that_starts_it(
    database: Database, home: Home
) -> None:
    job_id = ask_for(database, "script", script=script("say(EventKind.SUCCEEDED)"))
    supervisor = make_supervisor(database, home)
    with database.transaction() as session:
        job = queue.claim(session, machine=supervisor.machine, slot=None)
        assert job is not None
        queue.begin_stage(session, job, "script")
    job = run_to_the_end(supervisor, database, job_id)
    assert (job.state, job.attempt) == ("succeeded", 1)


def test_what_happened_while_no_supervisor_was_there_is_applied_once(database: Database, home: Home) -> None:
    job_id, folder = ask_for_training(database, home, step_s=0.02, num_rows=30)
    one = start_supervisor(database, home)
    wait_until(lambda: steps_of(folder, 1))
    one.kill()
    one.wait()
    wait_until(lambda: len(steps_of(folder, 1)) == 30)
    job = run_to_the_end(make_supervisor(database, home), database, job_id)
    assert (job.state, job.attempt) == ("succeeded", 1)
    with database.reading() as session:
        seqs = [event.seq for event in queries.events(session, job_id) if event.source == "train"]
    assert seqs == [event.seq for event in events.read(folder.events(1))]


def test_a_child_whose_job_another_machine_took_over_is_killed_and_writes_nothing(
    database: Database, home: Home
) -> None:
    job_id, folder = ask_for_training(database, home, step_s=0.05, num_rows=500)
    supervisor = make_supervisor(database, home)
    tick_until(supervisor, lambda: steps_of(folder, 1))
    process = child.find_by_pid_file(folder.pid_file(1, "train"))
    assert process is not None
    with database.transaction() as session:
        queue.died(session, queries.one(session, job_id), GONE)
        assert queue.claim(session, machine="elsewhere", slot=None) is not None
    tick_until(supervisor, lambda: not child.is_alive(process))
    job = look(database, job_id)
    assert (job.machine, job.state, job.attempt) == ("elsewhere", "starting", 2)


def test_a_supervisor_that_comes_back_kills_children_that_are_no_longer_its_own(database: Database, home: Home) -> None:
    job_id, folder = ask_for_training(database, home, step_s=0.05, num_rows=500)
    tick_until(make_supervisor(database, home), lambda: steps_of(folder, 1))
    with database.transaction() as session:
        queue.died(session, queries.one(session, job_id), GONE)
        queue.claim(session, machine="elsewhere", slot=None)
    process = child.find_by_pid_file(folder.pid_file(1, "train"))
    assert process is not None
    make_supervisor(database, home).tick()
    wait_until(lambda: not child.is_alive(process))


# The way to the database


def test_a_database_that_goes_away_for_a_while_loses_nothing(
    make_database: MakeDatabase, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "SQLITE_TIMEOUT_S", 0.1)  # ours alone: the workers have their own patience
    database = make_database()
    training, folder = ask_for_training(database, home, step_s=0.05, num_rows=30)
    counting = ask_for(database, "light", do="count", until=40, each_s=0.05)
    supervisor, ended = make_supervisor(database, home), threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(ended,))
    thread.start()
    try:
        wait_until(lambda: len(steps_of(folder, 1)) > 2 and num_rows(database, counting) > 2)
        _take_away(database, for_s=1.5)
        wait_until(lambda: is_over(database, training) and is_over(database, counting), timeout_s=40)
    finally:
        ended.set()
        thread.join()
    assert look(database, training).state == look(database, counting).state == "succeeded"
    assert look(database, training).attempt == 1
    assert num_rows(database, counting) == 40


def _take_away(database: Database, *, for_s: float) -> None:
    if database.is_sqlite:
        with database.transaction():
            time.sleep(for_s)
        return
    server, _, name = database.url.rpartition("/")
    postgresql.run_sql(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
    postgresql.run_sql(server, f"{end_all}'{name}'")
    time.sleep(for_s)
    postgresql.run_sql(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_two_supervisors_on_one_database_never_run_a_job_twice(database: Database, home: Home, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    line = f"os.write(os.open({str(runs)!r}, os.O_APPEND | os.O_CREAT | os.O_WRONLY), (sys.argv[1] + '\\n').encode())"
    ids = [ask_for(database, "script", script=script(line, "say(EventKind.SUCCEEDED)")) for _ in range(8)]
    homes = [home, Home(tmp_path / "other").prepare()]
    both = [start_supervisor(database, one) for one in homes]
    try:
        wait_until(lambda: all(is_over(database, job_id) for job_id in ids), timeout_s=30)
    finally:
        for one in both:
            one.terminate()
        for one in both:
            one.wait()
    assert {look(database, job_id).state for job_id in ids} == {"succeeded"}
    assert sorted(Path(path).parents[2].name for path in runs.read_text().split()) == sorted(ids)
    assert len({look(database, job_id).machine for job_id in ids}) <= 2


def test_a_second_supervisor_over_the_same_home_is_refused(database: Database, home: Home) -> None:
    first, second = make_supervisor(database, home), make_supervisor(database, home)
    first.lock()
    with pytest.raises(SupervisorRunning):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()


def test_the_name_stays_with_the_home_folder(database: Database, home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other").prepare()
    assert make_supervisor(database, home).machine == make_supervisor(database, home).machine
    assert make_supervisor(database, home).machine != make_supervisor(database, other).machine


def test_keepers_are_ticked_and_their_trouble_ends_nothing(database: Database, home: Home) -> None:
    class Troubled:
        name: ClassVar[str] = "troubled"
        num_ticks = 0

        def tick(self, _now: object) -> None:
            self.num_ticks += 1
            raise RuntimeError("a keeper's trouble")

    keeper, ended = Troubled(), threading.Event()
    thread = threading.Thread(target=make_supervisor(database, home).run, args=(ended, [keeper]))
    thread.start()
    wait_until(lambda: keeper.num_ticks >= 1)
    ended.set()
    thread.join()


def test_leases_are_kept_while_a_job_runs(database: Database, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goldsmith.jobs.supervisor.KEEP_LEASE_EVERY_S", 0)
    job_id = ask_for(database, "script", script=script("time.sleep(30)"))
    supervisor = make_supervisor(database, home)
    tick_until(supervisor, lambda: look(database, job_id).state == "running")
    with database.transaction() as session:
        session.execute(text("UPDATE jobs SET lease_until = :at"), {"at": "2000-01-01 00:00:00.000000"})
    supervisor.tick()
    lease_until = look(database, job_id).lease_until
    assert lease_until is not None
    assert lease_until.year > 2000
