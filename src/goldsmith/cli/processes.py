"""`up`, `web`, `supervise`, `work`, `down`: the processes of Goldsmith."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
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
    from goldsmith.web.server import serve

    cli: Cli = context.obj
    _log_to_stderr(cli)
    serve(app.make_asgi(cli.parts), port=port or cli.parts.settings.port)


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
    settings = cli.parts.settings
    _say_first_key(cli)
    out.print(f"Goldsmith runs at http://127.0.0.1:{settings.port}  (Ctrl-C stops it; jobs go on)")
    with _pid_file(cli.parts.home.run / "up.pid"):
        _keep_both(cli, ("web", "supervise"))
    stopped = app.stop_engines(cli.parts)
    err.print(f"Stopped the pages, the supervisor and {stopped} engines. Jobs that run go on; the next up finds them.")


def down(context: typer.Context) -> None:
    """Pause the jobs, and stop everything."""
    cli: Cli = context.obj
    paused = app.pause_jobs(cli.parts)
    pid_file = cli.parts.home.run / "up.pid"
    pid = int(pid_file.read_text()) if pid_file.exists() else None
    if pid is not None:
        os.kill(pid, signal.SIGINT)
    cli.show({"paused_jobs": paused, "stopped": pid is not None}, f"Paused {paused} jobs and stopped Goldsmith.")


def _keep_both(cli: Cli, commands: tuple[str, ...]) -> None:
    env = app.child_environment(cli.parts.settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    children: dict[str, subprocess.Popen[bytes]] = {}
    while not stop.is_set():
        for command in commands:
            if command not in children or children[command].poll() is not None:
                if command in children:
                    err.print(f"{command} ended with exit code {children[command].returncode}; starting it again")
                    stop.wait(1)
                children[command] = subprocess.Popen(
                    [sys.executable, "-m", "goldsmith", command], env=env, start_new_session=True
                )
        stop.wait(0.2)
    for child in children.values():
        child.terminate()
    for child in children.values():
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()


class _pid_file:  # noqa: N801  (a context manager that reads like a function)
    """Holds the pid of `up` in a file while it runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._path.write_text(str(os.getpid()))

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)


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
