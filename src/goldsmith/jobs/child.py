"""One child process: start it, find it again, stop it. Knows neither jobs nor databases; engines are started here too.

A child runs in a session of its own, so it outlives its parent and a signal reaches its whole group. Before its program
begins it writes itself who it is to a file that only one process can make: a parent that dies between starting it and
recording it finds it again, and of two that were started for the same file only one goes on. Needs Linux's /proc.
"""

import os
import re
import signal
import subprocess
import time
from functools import cache
from pathlib import Path

import psutil

from goldsmith.jobs.types import ChildId, Launch

MARK = "GOLDSMITH_CHILD"
"""The variable in a child's environment, and in that of everything it starts, that holds the path of its pid file."""

_PID_FILE_WAIT_S = 5.0
_LEFTOVERS_WAIT_S = 5.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# The shell only writes who it is and becomes the program; the program's words are its arguments, never its text.
# `set -C`: making the file fails when it is there already, and then the program is not run.
_RECORD_AND_BECOME = f'set -C; read -r b < {_BOOT_ID}; read -r s < /proc/$$/stat; echo "$b $s" > "$0" && exec "$@"'
_WRITTEN = re.compile(r"(?P<boot>[0-9a-f-]+) (?P<pid>\d+) \(.*\) (?P<rest>.*)\n")

_own: dict[int, subprocess.Popen[bytes]] = {}


def start(launch: Launch, *, log: Path, pid_file: Path, replace: bool = True) -> ChildId:
    """Start a program; what it prints is appended to `log`. Raises OSError when the program cannot be started.

    With `replace=False` the program ends at once when `pid_file` is there: its owner was faster.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pid_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if replace:
        pid_file.unlink(missing_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _RECORD_AND_BECOME, str(pid_file), *launch.argv],
            cwd=launch.cwd,
            env={**launch.env, MARK: str(pid_file)},
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
    fields = _stat_of(pid)
    return ChildId(pid, int(fields[19]) / _TICKS_PER_S, _boot_number(_boot_id())) if fields else None


def find_by_pid_file(pid_file: Path) -> ChildId | None:
    """The process that wrote this file, if it still lives."""
    child = _written_in(pid_file)
    return child if child is not None and is_alive(child) else None


def wait_for_pid_file(pid_file: Path) -> None:
    """Wait until the child has written who it is, so that a crash of ours from here on loses nothing."""
    end = time.monotonic() + _PID_FILE_WAIT_S
    while time.monotonic() < end:
        if pid_file.exists() and pid_file.stat().st_size > 0:
            return
        time.sleep(0.005)


def is_alive(child: ChildId) -> bool:
    """Whether exactly this process still runs; a dead one of ours is reaped."""
    process = _own.get(child.pid)
    if process is not None:
        process.poll()
    fields = _stat_of(child.pid)
    return fields is not None and fields[0] not in ("Z", "X") and identify(child.pid) == child


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


def kill_leftovers(pid_file: Path) -> int:
    """SIGKILL to what a dead child had started and left behind. Returns how many there were.

    Returns when they are gone, because what comes next needs their memory.
    Known by the mark in its environment, or by the dead child's session: vLLM's workers write their titles over theirs.
    """
    killed, leader = [], _written_in(pid_file)
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:  # it ended; where process 1 waits for nobody, it stays one
                continue
            if _is_of_session(process.pid, leader) or process.environ().get(MARK) == str(pid_file):
                process.kill()  # psutil looks at the start time once more
                killed.append(process)
        except (psutil.Error, OSError):  # gone meanwhile, or somebody else's
            continue
    end = time.monotonic() + _LEFTOVERS_WAIT_S
    while any(map(_runs, killed)) and time.monotonic() < end:
        time.sleep(0.01)
    return len(killed)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_of_session(pid: int, leader: ChildId | None) -> bool:
    """Whether the process belongs to the session of this dead leader; while one does, no other gets its number."""
    if leader is None or pid == leader.pid or leader.booted_at != _boot_number(_boot_id()):
        return False
    found, at_its_number = identify(pid), identify(leader.pid)
    is_ours = found is not None and found.started_at >= leader.started_at and at_its_number in (None, leader)
    return is_ours and os.getsid(pid) == leader.pid


def _written_in(pid_file: Path) -> ChildId | None:
    try:
        written = _WRITTEN.fullmatch(pid_file.read_text(encoding="ascii", errors="replace"))
    except FileNotFoundError:
        return None
    if written is None:
        return None
    started_at = int(written["rest"].split()[19]) / _TICKS_PER_S
    return ChildId(int(written["pid"]), started_at, _boot_number(written["boot"]))


def _signal_group(child: ChildId, number: signal.Signals) -> None:
    if not is_alive(child):
        return
    try:
        os.killpg(child.pid, number)  # its own session: the group has the child's number
    except ProcessLookupError:
        return


def _stat_of(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat behind the name: the state is the first, the start in ticks the twentieth."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


@cache
def _boot_id() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()


def _boot_number(boot_id: str) -> float:
    """The first 52 bits of a boot's id: as exact in a database's float as the id itself."""
    return float(int(boot_id.replace("-", "")[:13], 16))
