"""A child outlives its parent, is found again, and nobody else is ever killed in its place."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.processes import is_alive

from goldsmith.jobs import child
from goldsmith.jobs.types import ChildId, Launch

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., ChildId]]:
    children: list[ChildId] = []

    def start(program: str = SLEEP, *, replace: bool = True) -> ChildId:
        launch = Launch((sys.executable, "-c", program), tmp_path, dict(os.environ))
        found = child.start(launch, log=tmp_path / "log", pid_file=tmp_path / "only.pid", replace=replace)
        children.append(found)
        child.wait_for_pid_file(tmp_path / "only.pid")
        return found

    yield start
    for found in children:
        child.kill(found)
        child.kill_leftovers(tmp_path / "only.pid")
        wait_until(lambda found=found: not child.is_alive(found))  # type: ignore[misc]


def wait_until(is_so: Callable[[], object], timeout_s: float = 10) -> None:
    end = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.01)


def test_what_it_prints_is_in_the_log_and_its_exit_code_is_known(
    started: Callable[..., ChildId], tmp_path: Path
) -> None:
    process = started("import sys; print('hello', flush=True); sys.exit(7)")
    wait_until(lambda: not child.is_alive(process))
    assert (tmp_path / "log").read_text() == "hello\n"
    assert child.exit_code(process.pid) == 7


def test_a_program_that_is_not_there_ends_at_once_and_says_so(tmp_path: Path) -> None:
    launch = Launch(("/nowhere/python", "-c", ""), tmp_path, {})
    process = child.start(launch, log=tmp_path / "log", pid_file=tmp_path / "x.pid")
    wait_until(lambda: not child.is_alive(process))
    assert child.exit_code(process.pid) == 127
    assert "/nowhere/python" in (tmp_path / "log").read_text()


def test_a_folder_that_is_not_there_cannot_be_started_in(tmp_path: Path) -> None:
    launch = Launch(("true",), tmp_path / "nowhere", {})
    with pytest.raises(OSError, match="nowhere"):
        child.start(launch, log=tmp_path / "log", pid_file=tmp_path / "x.pid")


def test_it_outlives_its_parent_and_is_found_again_by_its_pid_file(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from goldsmith.jobs import child
from goldsmith.jobs.types import Launch
import os, sys
folder = Path({str(tmp_path)!r})
process = child.start(Launch((sys.executable, "-c", {SLEEP!r}), folder, dict(os.environ)),
                      log=folder / "log", pid_file=folder / "only.pid")
child.wait_for_pid_file(folder / "only.pid")
print(process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    parent = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert parent.returncode == -signal.SIGKILL
    found = child.find_by_pid_file(tmp_path / "only.pid")
    assert found is not None
    assert found.pid == int(parent.stdout)
    assert child.is_alive(found)
    assert child.exit_code(found.pid) is None
    child.kill(found)
    wait_until(lambda: not child.is_alive(found))
    assert child.find_by_pid_file(tmp_path / "only.pid") is None


def test_another_process_with_the_same_number_is_neither_adopted_nor_killed(
    started: Callable[..., ChildId], tmp_path: Path
) -> None:
    process = started()
    earlier = dataclasses.replace(process, started_at=process.started_at - 0.01)
    other_boot = dataclasses.replace(process, booted_at=process.booted_at + 1)
    for foreign in (earlier, other_boot):
        assert not child.is_alive(foreign)
        child.ask_to_end(foreign)
        child.kill(foreign)
    pid_file = tmp_path / "only.pid"
    whole = pid_file.read_text()
    for text in ("", "12", str(process.pid) + "\n", whole[:-1], whole.replace(whole[:8], "00000000", 1)):
        pid_file.write_text(text)
        assert child.find_by_pid_file(pid_file) is None
    pid_file.write_text(whole)
    assert child.find_by_pid_file(pid_file) == process
    assert child.is_alive(process)


def test_of_two_that_were_started_for_one_file_only_one_goes_on(
    started: Callable[..., ChildId], tmp_path: Path
) -> None:
    first = started(replace=False)
    second = started(replace=False)
    wait_until(lambda: not child.is_alive(second))
    assert child.is_alive(first)
    assert child.find_by_pid_file(tmp_path / "only.pid") == first


def test_a_kill_reaches_the_whole_group(started: Callable[..., ChildId], tmp_path: Path) -> None:
    process = started(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])")
    parent = psutil.Process(process.pid)
    wait_until(parent.children)
    (grandchild,) = parent.children()
    child.kill(process)
    wait_until(lambda: not child.is_alive(process))
    wait_until(lambda: not is_alive(grandchild))


def test_what_a_dead_child_left_behind_is_killed_and_nothing_else(
    started: Callable[..., ChildId], tmp_path: Path
) -> None:
    process = started(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])")
    wait_until(psutil.Process(process.pid).children)
    (grandchild,) = psutil.Process(process.pid).children()
    bystander = subprocess.Popen([sys.executable, "-c", SLEEP])
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not child.is_alive(process))
    assert is_alive(grandchild)
    assert child.kill_leftovers(tmp_path / "only.pid") == 1
    wait_until(lambda: not is_alive(grandchild))
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_leftovers_that_wrote_over_their_environment_are_known_by_their_session(tmp_path: Path) -> None:
    script = (
        "import os, subprocess; p = subprocess.Popen(['sleep', '60'], env={}); print(p.pid, flush=True); os._exit(0)"
    )
    pid_file, log = tmp_path / "leader.pid", tmp_path / "log"
    leader = child.start(Launch((sys.executable, "-c", script), tmp_path, {}), log=log, pid_file=pid_file)
    end = time.monotonic() + 10
    while child.is_alive(leader) and time.monotonic() < end:
        time.sleep(0.01)
    left_behind = psutil.Process(int(log.read_text()))
    assert child.kill_leftovers(pid_file) == 1
    assert not is_alive(left_behind)
    assert child.kill_leftovers(pid_file) == 0
