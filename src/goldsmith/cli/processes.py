"""`up`, `web`, `supervise`, `work`, `down`: the processes of Goldsmith."""

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from goldsmith import app
from goldsmith.cli.console import Cli, err, out
from goldsmith.people import service as people

FIRST_KEY_LABEL = "first key, printed by goldsmith up"


def web(
    context: typer.Context, port: Annotated[int | None, typer.Option(help="The port, on loopback.")] = None
) -> None:
    """Serve the pages, the API and the gateway, and nothing else."""
    gc.disable()  # What is loaded now stays. Looking for garbage among it takes a tenth of the start, and halts pages.
    from goldsmith.web.server import serve

    cli: Cli = context.obj
    _log_to_stderr(cli)
    asgi = app.make_asgi(cli.parts)
    gc.freeze()
    gc.enable()
    serve(asgi, port=port or cli.parts.settings.port)


def supervise(context: typer.Context) -> None:
    """Watch over the jobs and engines of this machine."""
    cli: Cli = context.obj
    _log_to_stderr(cli)
    supervisor = app.make_supervisor(cli.parts)
    supervisor.lock()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    supervisor.run(stop, app.make_keepers(cli.parts))


def work(
    context: typer.Context,
    job_id: str,
    stage: Annotated[str, typer.Option()],
    lease: Annotated[int, typer.Option()],
) -> None:
    """Do one light stage of one job (the supervisor calls this)."""
    cli: Cli = context.obj
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


def down(context: typer.Context) -> None:
    """Pause the jobs, and stop everything."""
    cli: Cli = context.obj
    paused = app.pause_jobs(cli.parts)
    pid_file = cli.parts.home.run / "up.pid"
    pid = int(pid_file.read_text()) if pid_file.exists() else None
    if pid is not None:
        os.kill(pid, signal.SIGINT)
    cli.show({"paused_jobs": paused, "stopped": pid is not None}, f"Paused {paused} jobs and stopped Goldsmith.")


class Processes:
    """The web process and the supervisor, each started again when it dies."""

    def __init__(self, cli: Cli) -> None:
        self._env = app.child_environment(cli.parts.settings)
        self._logs = cli.parts.home.run
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Start both, and keep them."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._thread.start()

    def wait(self) -> None:
        """Return when somebody asked to stop."""
        while not self._stop.is_set():
            self._stop.wait(0.5)

    def stop(self) -> None:
        """End both."""
        self._stop.set()
        self._thread.join(timeout=5)
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()

    def _keep(self) -> None:
        while not self._stop.is_set():
            for command in ("web", "supervise"):
                child = self._children.get(command)
                if child is None or child.poll() is not None:
                    if child is not None:
                        log = self._logs / f"{command}.log"
                        err.print(
                            f"{command} ended with exit code {child.returncode}; starting it again. Its log: {log}"
                        )
                        self._stop.wait(1)
                    self._children[command] = self._start(command)
            self._stop.wait(0.2)

    def _start(self, command: str) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-m", "goldsmith", command]
        with (self._logs / f"{command}.log").open("ab") as log:
            return subprocess.Popen(argv, env=self._env, stdout=log, stderr=log, start_new_session=True)


@contextmanager
def running(cli: Cli) -> Iterator[Processes]:
    """Goldsmith, for as long as the block lasts; our engines are stopped at its end, jobs go on."""
    _say_first_key(cli)
    processes = Processes(cli)
    with _pid_file(cli.parts.home.run / "up.pid"):
        processes.start()
        try:
            yield processes
        finally:
            processes.stop()
            stopped = app.stop_engines(cli.parts)
            err.print(f"Stopped the pages, the supervisor and {stopped} engines. Jobs that run go on.")


@contextmanager
def _pid_file(path: Path) -> Iterator[None]:
    path.write_text(str(os.getpid()), encoding="ascii")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


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
