"""Kill -9 of supervisor, worker, trainer and engine, in mid-start and in the midst of work: it goes on by itself.

The trainer is past step 3 of at least 20 when it is killed, the engine has at least 8 requests in flight. Pids and
start times are compared before and after, and answers are counted by row. `tests/real/test_kills.py` does this to real
programs, `test_kills.py` here to stand-ins.
"""

import os
import signal
import subprocess
import time
from datetime import datetime

import psutil
from sqlalchemy import select
from tests.faults.processes import start, wait_until
from tests.invariants import assert_hold, left_behind
from tests.processes import is_alive

from goldsmith import app
from goldsmith.data import queries as data
from goldsmith.jobs import child
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import ChildId
from goldsmith.models.types import SMOLLM2
from goldsmith.people import service as people
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.run import prompts
from goldsmith.run import service as runs
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import PromptDraft, RunOptions, RunRequest
from goldsmith.serve import queries as serve
from goldsmith.serve.engine_client import call
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import Proof
from goldsmith.stars import queries as stars
from goldsmith.train import queries as train
from goldsmith.train import service as training
from goldsmith.train.recipe import TrainRequest
from goldsmith.wire import events
from goldsmith.wire.events import EventKind

NUM_IN_FLIGHT = 8
OPTIONS = {"num_epochs": 1, "batch_size": 1, "save_every_steps": 5}
GOES_ON_WITHIN_S = 30.0
"""What the supervisor does about a death takes no longer than this."""
WORKS_WITHIN_S = 300.0
"""Loading a model, a step, a start of an engine: how long these take says something about the machine alone."""


class Watched:
    """A home with an engine and a tuned model, under a supervisor that is a process, and can be killed."""

    def __init__(self, parts: app.Parts, model_id: str) -> None:
        self.parts, self.model_id = parts, model_id
        self.database, self.home = parts.database, parts.home
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """As `goldsmith up` does when it ended."""
        self._supervisor = start("supervise", self.parts.settings, self.home.run / "supervise.log")

    def kill_supervisor(self) -> None:
        assert self._supervisor is not None
        self._supervisor.kill()
        self._supervisor.wait()

    def stop(self) -> None:
        if self._supervisor is not None and self._supervisor.poll() is None:
            self._supervisor.terminate()
            self._supervisor.wait(timeout=30)

    def job(self, job_id: str) -> Job:
        with self.database.reading() as session:
            return jobs.one(session, job_id)

    def until_over(self, job_id: str, *, within_s: float) -> Job:
        wait_until(lambda: JobState(self.job(job_id).state).is_over, within_s=within_s, every_s=0.3)
        return self.job(job_id)

    def folder(self, job_id: str) -> JobFolder:
        return JobFolder.of(self.home, job_id)

    def child_in_mid_start(self, job_id: str, attempt: int, stage: str) -> ChildId:
        """The program of a stage, as soon as it is there."""
        pid_file = self.folder(job_id).pid_file(attempt, stage)
        wait_until(lambda: child.find_by_pid_file(pid_file), within_s=WORKS_WITHIN_S, every_s=0.001)
        found = child.find_by_pid_file(pid_file)
        assert found is not None
        return found

    def recorded_child(self, job_id: str) -> tuple[int | None, float | None]:
        job = self.job(job_id)
        return job.pid, job.pid_started_at

    def engine(self) -> Engine:
        with self.database.reading() as session:
            return serve.one(session, serve.deployment_of(session, self.model_id).engine_id)

    def num_in_flight(self) -> int:
        with self.database.reading() as session:
            target = serve.target_for(session, self.engine().base_model_id or "")
        return call(target.url, target.read_key(self.home.root), lambda client: client.counters()).num_running

    def answers(self, run: Run) -> dict[str, tuple[str, datetime]]:
        with self.database.reading() as session:
            found = session.execute(select(Answer.row_id, Answer.id, Answer.at).where(Answer.run_id == run.id))
            return {row_id: (answer_id, at) for row_id, answer_id, at in found}


def kill(process: ChildId) -> None:
    """The program itself; nothing else of its group, as the kernel does when memory is short."""
    assert child.identify(process.pid) == process
    os.kill(process.pid, signal.SIGKILL)


def steps_of(folder: JobFolder, attempt: int) -> list[int]:
    return [event.data["step"] for event in events.read(folder.events(attempt)) if event.kind is EventKind.STEP]


def saved_in(folder: JobFolder, attempt: int) -> int:
    said = events.read(folder.events(attempt))
    return max((event.data["step"] for event in said if event.kind is EventKind.SAVED), default=0)


def start_training(watched: Watched) -> str:
    with watched.database.transaction() as session:
        by = people.known_by_name(session, "tests")
        training_set = stars.training_sets(session, domain=DEFAULT_DOMAIN)[0]
        request = TrainRequest(SMOLLM2.name, "trl", training_set.id, "killed", OPTIONS)
        return training.start(session, request, workshop=app.make_workshop(watched.parts), by=by).id


def start_run(watched: Watched, num_rows: int, concurrency: int) -> Run:
    with watched.database.transaction() as session:
        by = people.known_by_name(session, "tests")
        dataset = data.page(session, domain=DEFAULT_DOMAIN)[0]
        version = data.newest_version(session, dataset.id)
        wording = prompts.save_prompt(session, "killed", PromptDraft("Write a friendly reply to: {{message}}"), by=by)
        options = RunOptions(max_rows=num_rows, max_tokens=48, concurrency=concurrency)
        return runs.start(session, RunRequest(version.id, wording.id, SMOLLM2.name, options=options), by=by)


def kill_all_in_a_training(watched: Watched) -> None:
    """Supervisor and trainer, in mid-start and past step 3."""
    job_id = start_training(watched)
    folder = watched.folder(job_id)

    # Mid-start: the supervisor dies when its child was started and has said nothing yet.
    trainer = watched.child_in_mid_start(job_id, 1, "train")
    watched.kill_supervisor()
    assert events.read(folder.events(1)) == []
    watched.start()
    wait_until(lambda: len(steps_of(folder, 1)) > 3, within_s=WORKS_WITHIN_S)
    wait_until(lambda: watched.recorded_child(job_id) == (trainer.pid, trainer.started_at), within_s=GOES_ON_WITHIN_S)

    # Mid-training: the supervisor. The trainer goes on alone, and what it did meanwhile is applied once.
    watched.kill_supervisor()
    num_before = len(steps_of(folder, 1))
    wait_until(lambda: len(steps_of(folder, 1)) > num_before + 1, within_s=WORKS_WITHIN_S)
    watched.start()
    wait_until(lambda: saved_in(folder, 1) >= 5 and len(steps_of(folder, 1)) > 6, within_s=WORKS_WITHIN_S)
    assert watched.recorded_child(job_id) == (trainer.pid, trainer.started_at)

    # Mid-training: the trainer. Then once more in mid-start of the next attempt.
    kill(trainer)
    second = watched.child_in_mid_start(job_id, 2, "train")
    kill(second)
    assert events.read(folder.events(2)) == []
    assert (second.pid, second.started_at) != (trainer.pid, trainer.started_at)
    job = watched.until_over(job_id, within_s=2 * WORKS_WITHIN_S)

    assert (job.state, job.attempt) == ("succeeded", 3), job.failure
    first, third, kept = steps_of(folder, 1), steps_of(folder, 3), saved_in(folder, 1)
    total = first[-1] if not third else third[-1]
    assert (total >= 20, kept >= 5) == (True, True)
    assert third == list(range(kept + 1, total + 1)), "steps before the checkpoint were done again, or some left out"
    assert first[:kept] == list(range(1, kept + 1))
    with watched.database.reading() as session:
        series = [point.step for point in train.series(session, job_id) if point.loss is not None]
    assert sorted(series) == list(range(1, total + 1))
    assert_hold(watched.database, watched.home, acknowledged=[("jobs", job_id), ("training_jobs", job_id)])


def kill_all_in_a_run(watched: Watched, *, num_rows: int, concurrency: int) -> None:
    """Worker, supervisor and engine, in mid-start and with requests in flight."""
    run = start_run(watched, num_rows, concurrency)
    job_id = run.job_id or ""
    kept: dict[str, tuple[str, datetime]] = {}

    def in_mid_run() -> None:
        """At least so many requests are in flight, and some more rows have their answers."""
        num_before = len(kept)
        wait_until(lambda: len(watched.answers(run)) >= num_before + 4, within_s=WORKS_WITHIN_S, what=how_it_stands)
        kept.update(watched.answers(run))
        wait_until(  # last, so that it is so in the moment of the kill
            lambda: watched.num_in_flight() >= NUM_IN_FLIGHT, within_s=WORKS_WITHIN_S, every_s=0.02, what=how_it_stands
        )

    def how_it_stands() -> str:
        job, engine = watched.job(job_id), watched.engine()
        return (
            f"{len(watched.answers(run))} of {num_rows} answers, {len(kept)} before; "
            f"{watched.num_in_flight()} in flight; "
            f"run {job.state}, attempt {job.attempt}, {job.message!r}, {job.failure!r}; "
            f"engine {engine.state}, {engine.message!r}"
        )

    # Mid-start, then mid-run: the worker.
    kill(watched.child_in_mid_start(job_id, 1, "answer"))
    assert watched.answers(run) == {}
    second = watched.child_in_mid_start(job_id, 2, "answer")
    in_mid_run()
    kill(second)
    third = watched.child_in_mid_start(job_id, 3, "answer")

    # Mid-run: the supervisor. The worker goes on alone, and is adopted.
    in_mid_run()
    watched.kill_supervisor()
    in_mid_run()
    watched.start()
    assert child.is_alive(third)

    # Mid-run: vLLM's server, while nobody watches. What it started lives on, and has to go before the next start.
    in_mid_run()
    watched.kill_supervisor()
    before = watched.engine()
    left = members_of(before.pid or 0)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    time.sleep(3)
    assert any(is_alive(each) for each in left), "vLLM ended by itself what it had started: this shows nothing"
    assert left_behind(watched.home)
    watched.start()
    wait_until(lambda: watched.engine().generation > before.generation and watched.engine().pid, within_s=60)
    wait_until(lambda: not any(map(is_alive, left)), within_s=GOES_ON_WITHIN_S)

    # Mid-start: the new engine, before its first token.
    starting = watched.engine()
    assert starting.state == "starting"
    assert (starting.pid, starting.pid_started_at) != (before.pid, before.pid_started_at)
    os.kill(starting.pid or 0, signal.SIGKILL)
    wait_until(lambda: watched.engine().generation > starting.generation, within_s=60)
    job = watched.until_over(job_id, within_s=2 * WORKS_WITHIN_S)

    assert (job.state, job.attempt) == ("succeeded", 3), job.failure
    assert job.result is not None
    assert (job.result["num_answered"], job.result["num_failed"]) == (num_rows, 0)
    now = watched.answers(run)
    assert len(now) == num_rows
    assert {row_id: now[row_id] for row_id in kept} == kept, "a row that had its answer was asked again"
    wait_until(lambda: proof_of(watched) == Proof.PROVED.value, within_s=WORKS_WITHIN_S, every_s=0.5)
    acknowledged = [("jobs", job_id), ("runs", run.id), *(("answers", answer_id) for answer_id, _ in kept.values())]
    assert_hold(watched.database, watched.home, acknowledged=acknowledged, asks_engines=True)


def proof_of(watched: Watched) -> str:
    with watched.database.reading() as session:
        return serve.deployment_of(session, watched.model_id).proof


def members_of(session_id: int) -> list[psutil.Process]:
    """Everything that an engine's server started."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session_id != process.pid:
                found.append(process)
        except OSError:
            continue
    return found
