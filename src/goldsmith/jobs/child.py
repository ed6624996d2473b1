"""One child process: start it, find it again, stop it. Knows neither jobs nor databases; engines are started here too.

A child runs in a session of its own, so it outlives its parent and a signal reaches its whole group. It writes its pid
to a file itself before its program begins: a parent that dies between starting it and recording it finds it again.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil

from goldsmith.jobs.types import ChildId, Launch

_START_TOLERANCE_S = 2.0
_PID_FILE_WAIT_S = 5.0
# The shell only writes its own pid and becomes the program; the program's words are its arguments, never its text.
_RECORD_AND_BECOME = 'echo $$ > "$0.tmp" && mv "$0.tmp" "$0" && exec "$@"'

_own: dict[int, subprocess.Popen[bytes]] = {}


def start(launch: Launch, *, log: Path, pid_file: Path) -> ChildId:
    """Start a program; what it prints is appended to `log`. Raises OSError when the program cannot be started."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pid_file.unlink(missing_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _RECORD_AND_BECOME, str(pid_file), *launch.argv],
            cwd=launch.cwd,
            env=dict(launch.env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _own[process.pid] = process
    child = identify(process.pid)
    if child is None:
        raise OSError(f"{launch.argv[0]} ended at once, with exit code {exit_code(process.pid)}; see {log}")
    return child


def identify(pid: int) -> ChildId | None:
    """The process that has this number now, told apart from any later one."""
    try:
        return ChildId(pid, psutil.Process(pid).create_time(), psutil.boot_time())
    except psutil.NoSuchProcess:
        return None


def find_by_pid_file(pid_file: Path) -> ChildId | None:
    """The process that wrote this file, if it still lives."""
    if not pid_file.exists():
        return None
    text = pid_file.read_text(encoding="ascii").strip()
    child = identify(int(text)) if text.isdigit() else None
    written_at = pid_file.stat().st_mtime
    if child is None or child.started_at > written_at + _START_TOLERANCE_S:
        return None
    return child


def wait_for_pid_file(pid_file: Path) -> None:
    """Wait until the child has written its pid, so that a crash of ours from here on loses nothing."""
    end = time.monotonic() + _PID_FILE_WAIT_S
    while not pid_file.exists() and time.monotonic() < end:
        time.sleep(0.005)


def is_alive(child: ChildId) -> bool:
    """Whether exactly this process still runs; a dead one of ours is reaped."""
    process = _own.get(child.pid)
    if process is not None and process.poll() is not None:
        return False
    try:
        found = psutil.Process(child.pid)
        is_same = abs(found.create_time() - child.started_at) < _START_TOLERANCE_S
        return is_same and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def exit_code(pid: int) -> int | None:
    """How a child of this very process ended (negative: the signal); None when it is not ours or still runs."""
    process = _own.get(pid)
    return process.poll() if process is not None else None


def ask_to_end(child: ChildId) -> None:
    """SIGTERM to its group: it saves and ends. A process that is not this one any more is left alone."""
    _signal_group(child, signal.SIGTERM)


def kill(child: ChildId) -> None:
    """SIGKILL to its group. A process that is not this one any more is left alone."""
    _signal_group(child, signal.SIGKILL)


def _signal_group(child: ChildId, number: signal.Signals) -> None:
    if not is_alive(child):
        return
    try:
        os.killpg(child.pid, number)  # its own session: the group has the child's number
    except ProcessLookupError:
        return
