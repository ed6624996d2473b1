"""Small kinds of jobs, and the programs of a worker and a supervisor that know them, for the supervisor's tests.

`python -m tests.unit.jobs.small_parts work URL HOME JOB STAGE LEASE` and `... supervise URL HOME LEASE_S`.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.jobs import program, queue
from goldsmith.jobs import supervisor as supervising
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import JobKind, LightKind, WorkContext
from goldsmith.jobs.supervisor import Machine, Supervisor
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobView, Launch, Stage
from goldsmith.jobs.worker import Worker
from goldsmith.people.tables import PersonRow
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.wire import manifest
from goldsmith.wire.events import Event, EventKind

ROOT = Path(__file__).parents[3]


class LightJob(LightKind):
    """One light stage that does what `params["do"]` says."""

    name: ClassVar[str] = "light"
    stages: ClassVar[tuple[Stage, ...]] = (Stage("only"),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        what = context.job.params["do"]
        if what == "fail":
            raise JobFailed("It cannot be done.", hint="Do something else.", kind="impossible")
        if what == "raise":
            raise KeyError("nobody thought of this")
        if what == "exit_0":
            os._exit(0)
        if what == "wait":
            while not context.should_stop():
                time.sleep(0.01)
            return {"saved": True}
        return _count_to(int(context.job.params["until"]), context)


def _count_to(until: int, context: WorkContext) -> Mapping[str, Any]:
    """Write one row after the other, beginning where the database says; each must be there once."""
    with context.database.reading() as session:
        done = session.scalar(select(func.count()).where(PersonRow.domain == context.job.id)) or 0
    for number in range(done, until):
        with context.transaction() as session:
            session.add(PersonRow(id=f"{context.job.id}_{number}", name=str(number), domain=context.job.id))
        context.report((number + 1) / until, f"{number + 1} rows")
        time.sleep(float(context.job.params.get("each_s", 0.02)))
    return {"num_rows": until}


class ScriptJob(LightKind):
    """One heavy stage: the Python script in `params["script"]`, started in the job's folder."""

    name: ClassVar[str] = "script"
    stages: ClassVar[tuple[Stage, ...]] = (Stage("script", is_heavy=True),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        raise NotImplementedError

    def launch(self, job: JobView, folder: JobFolder) -> Launch:
        folder.root.mkdir(parents=True, exist_ok=True)
        argv = (sys.executable, "-c", job.params["script"], str(folder.events(job.attempt)))
        return Launch(argv, folder.root, {**os.environ, "PYTHONPATH": str(ROOT / "src")})

    def on_event(self, session: Session, job: Job, event: Event) -> None:
        if event.kind is EventKind.LOG:
            job.message = event.data["text"]


class TrainJob(LightKind):
    """The fake trainer in a job folder that is there already, then a look at its result."""

    name: ClassVar[str] = "train"
    stages: ClassVar[tuple[Stage, ...]] = (Stage("train", is_heavy=True), Stage("check"))

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        body = manifest.read_whole(context.folder.result)
        if body is None:
            raise JobFailed("The result is not whole.", kind="result_not_whole")
        return {"steps": body["figures"]["steps"]}

    def launch(self, job: JobView, folder: JobFolder) -> Launch:
        arguments = ("--order", "../job.json", "--attempt", str(job.attempt))
        argv = program.command(Path(sys.executable), "goldsmith.trainers.fake", arguments)
        return program.launch(folder, argv, os.environ)


KINDS: dict[str, JobKind] = {kind.name: kind for kind in (LightJob(), ScriptJob(), TrainJob())}


def make_supervisor(
    database: Database, home: Home, *, kill_after_s: float = 60, kinds: Mapping[str, JobKind] = KINDS
) -> Supervisor:
    """A supervisor that knows the small kinds, and how to start this module as a worker."""

    def worker_launch(job: JobView, stage: str) -> Launch:
        url = database.engine.url.render_as_string(hide_password=False)
        words = ("work", url, str(home.root), job.id, stage, str(job.lease_number))
        env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
        return Launch((sys.executable, "-m", "tests.unit.jobs.small_parts", *words), home.root, env)

    return Supervisor(
        database,
        home,
        kinds=kinds,
        machine=Machine("here", ("cpu",)),
        worker_launch=worker_launch,
        kill_after_s=kill_after_s,
    )


def start_supervisor(database: Database, home: Home, *, lease_s: float = queue.LEASE_S) -> "subprocess.Popen[bytes]":
    """A supervisor that knows the small kinds, in a process of its own."""
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.unit.jobs.small_parts", "supervise", url, str(home.root), str(lease_s)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}, start_new_session=True)


def main(verb: str, url: str, root: str, *words: str) -> int:
    """Be a worker or a supervisor."""
    database, home = Database(url), Home(Path(root))
    if verb == "work":
        worker = Worker(database, home, KINDS)
        worker.listen_for_stop()
        return worker.work(words[0], words[1], int(words[2]))
    queue.LEASE_S = float(words[0])
    supervising.KEEP_LEASE_EVERY_S = queue.LEASE_S / 6
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    supervisor = make_supervisor(database, home)
    supervisor.lock()
    supervisor.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
