"""`up`, `web`, `supervise`, `work`: the processes of Goldsmith."""

import gc
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from goldsmith import app
from goldsmith.cli.console import Cli, err, out
from goldsmith.jobs import child
from goldsmith.jobs.errors import SupervisorRunning
from goldsmith.jobs.types import ChildId
from goldsmith.people import service as people
from goldsmith.storage.files import Home
from goldsmith.storage.patience import until_it_answers
from goldsmith.web import port
from goldsmith.web.errors import PortTaken

UP_PID = "up.pid"
PARENT = "GOLDSMITH_UP"
"""The variable that tells a process which `goldsmith up` started it."""
PARENT_LOOK_S = 0.5
PREDECESSOR_ENDS_S = 15.0
FIRST_KEY_LABEL = "first key, printed by goldsmith up"


def web(
    context: typer.Context,
    number: Annotated[int | None, typer.Option("--port", help="The port, on loopback.")] = None,
) -> None:
    """Serve the pages, the API and the gateway, and nothing else."""
    gc.disable()  # What is loaded now stays. Looking for garbage among it takes a tenth of the start, and halts pages.
    from goldsmith.web.server import serve

    cli: Cli = context.obj
    _log_to_stderr(cli)
    _end_with_parent()
    asgi = app.make_asgi(cli.parts)
    gc.freeze()
    gc.enable()
    serve(asgi, port=number or cli.parts.settings.port)


def supervise(context: typer.Context) -> None:
    """Watch over the jobs and engines of this machine."""
    cli: Cli = context.obj
    _log_to_stderr(cli)
    supervisor = app.make_supervisor(cli.parts)
    supervisor.lock()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _end_with_parent()
    supervisor.run(stop, app.make_keepers(cli.parts))


def work(
    context: typer.Context,
    job_id: str,
    stage: Annotated[str, typer.Option()],
    lease: Annotated[int, typer.Option()],
) -> None:
    """Do one light stage of one job (the supervisor calls this)."""
    cli: Cli = context.obj
    until_it_answers(lambda: cli.parts)
    _log_to_stderr(cli)
    worker = app.make_worker(cli.parts)
    worker.listen_for_stop()
    sys.exit(worker.work(job_id, stage, lease))


def up(context: typer.Context) -> None:
    """Start everything: pages, API, gateway and supervisor. Ctrl-C stops them and our engines; jobs go on."""
    cli: Cli = context.obj
    with running(cli) as processes:
        out.print(f"Goldsmith runs at http://127.0.0.1:{cli.parts.settings.port}  (Ctrl-C stops it; jobs go on)")
        processes.wait()


class Processes:
    """The web process and the supervisor, each started again when it dies."""

    def __init__(self, cli: Cli) -> None:
        self._env = {**app.child_environment(cli.parts.settings), PARENT: str(os.getpid())}
        self._logs = cli.parts.home.run
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Start both, and keep them."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # `nohup goldsmith up` outlives its terminal
            signal.signal(number, self._be_told_to_stop)
        self._thread.start()

    def wait(self) -> None:
        """Return when somebody asked to stop."""
        with suppress(KeyboardInterrupt):
            while not self._stop.is_set():
                self._stop.wait(0.5)

    def stop(self) -> None:
        """End both."""
        self._stop.set()
        self._thread.join(timeout=5)
        for process in self._children.values():
            process.terminate()
        for process in self._children.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()

    def _be_told_to_stop(self, *_: object) -> None:
        """Break off whatever the main thread is doing, once: a second Ctrl-C must not leave processes behind."""
        if not self._stop.is_set():
            self._stop.set()
            raise KeyboardInterrupt

    def _keep(self) -> None:
        while not self._stop.is_set():
            for command in ("web", "supervise"):
                process = self._children.get(command)
                if process is None or process.poll() is not None:
                    if process is not None:
                        log = self._logs / f"{command}.log"
                        code = process.returncode
                        err.print(f"{command} ended with exit code {code}; starting it again. Its log: {log}")
                        self._stop.wait(1)
                    self._children[command] = self._start(command)
            self._stop.wait(0.2)

    def _start(self, command: str) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-m", "goldsmith", command]
        with (self._logs / f"{command}.log").open("ab") as log:
            return subprocess.Popen(argv, env=self._env, stdout=log, stderr=log, start_new_session=True)


@contextmanager
def running(cli: Cli) -> Iterator[Processes]:
    """Goldsmith, for as long as the block lasts; our engines are stopped at its end, jobs go on.

    Raises PortTaken and SupervisorRunning before anything is started, because a child that cannot work would only be
    started again and again.
    """
    pid_file = cli.parts.home.run / UP_PID
    _check_free(cli, patience_s=PREDECESSOR_ENDS_S if pid_file.exists() and _read_pid_file(pid_file) is None else 0.0)
    _say_first_key(cli)
    processes = Processes(cli)
    with _pid_file(pid_file):
        processes.start()
        try:
            yield processes
        finally:
            processes.stop()
            stopped = app.stop_engines(cli.parts)
            engines = "1 engine" if stopped == 1 else f"{stopped} engines"
            err.print(f"Stopped the pages, the supervisor and {engines}.")
            err.print("Jobs that run go on; to pause them: goldsmith down")


def _check_free(cli: Cli, *, patience_s: float) -> None:
    """Raise PortTaken or SupervisorRunning; with patience, when a killed predecessor's processes are still ending."""
    end = time.monotonic() + patience_s
    while True:
        try:
            port.check_free(cli.parts.settings.port)
            app.check_no_supervisor(cli.parts)
        except (PortTaken, SupervisorRunning):
            if time.monotonic() >= end:
                raise
            time.sleep(0.2)
        else:
            return


def _end_with_parent() -> None:
    """Have this process end as if asked to when `goldsmith up`, which started it, was killed."""
    parent = os.environ.get(PARENT)

    def watch() -> None:
        while str(os.getppid()) == parent:
            time.sleep(PARENT_LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    if parent is not None:
        threading.Thread(target=watch, name="parent", daemon=True).start()


@contextmanager
def _pid_file(path: Path) -> Iterator[None]:
    me = child.identify(os.getpid())
    path.write_text(json.dumps(asdict(me)) if me is not None else "", encoding="ascii")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_up(home: Home) -> ChildId | None:
    """The `goldsmith up` over this home folder, if one runs."""
    return _read_pid_file(home.run / UP_PID)


def _read_pid_file(path: Path) -> ChildId | None:
    """The `goldsmith up` that wrote it, if it still lives; a later process with its number is another one."""
    try:
        found = ChildId(**json.loads(path.read_text(encoding="ascii")))
    except (OSError, ValueError, TypeError):
        return None
    return found if child.is_alive(found) else None


def _say_first_key(cli: Cli) -> None:
    with cli.transaction() as (session, person):
        if people.keys(session):
            return
        _, secret = people.add_key(session, FIRST_KEY_LABEL, by=person)
    out.print(f"A first key for programs, shown this once: {secret}", markup=False)


def _log_to_stderr(cli: Cli) -> None:
    level = cli.parts.settings.log_level.upper()
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=level, format="%(asctime)sZ %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
