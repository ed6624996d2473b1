"""`goldsmith up` as people start it: real processes over an empty home."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from tests.processes import is_alive

pytestmark = pytest.mark.long

ENDS_WITHIN_S = 20


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def environment(home: Path, **more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GOLDSMITH_")}
    ports = {"GOLDSMITH_PORT": str(free_port()), "GOLDSMITH_ENGINE_PORT": str(free_port())}
    return {**ours, **ports, "GOLDSMITH_HOME": str(home), **more}


@contextmanager
def up(env: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as said:
        argv = [sys.executable, "-m", "goldsmith", "up"]
        process = subprocess.Popen(argv, env=env, stdout=said, stderr=said, start_new_session=True)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)  # does nothing when it has ended
            process.wait(timeout=ENDS_WITHIN_S)


def get(port: int, path: str, host: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status
    finally:
        connection.close()


def wait_until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + ENDS_WITHIN_S
    while not is_so():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.05)


def answers(port: int) -> bool:
    with suppress(OSError):
        return get(port, "/healthz", "127.0.0.1") == 200
    return False


def refused(env: dict[str, str]) -> tuple[int, str]:
    argv = [sys.executable, "-m", "goldsmith", "up"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False)
    return done.returncode, done.stderr


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        yield int(door.getsockname()[1])


def test_a_taken_port_is_said_in_a_sentence_and_nothing_is_started(tmp_path: Path, taken: int) -> None:
    home = tmp_path / "home"
    code, said = refused(environment(home, GOLDSMITH_PORT=str(taken)))
    assert code == 7
    assert f"Nothing can listen on port {taken} of 127.0.0.1" in said
    assert f"process {os.getpid()}" in said
    assert "GOLDSMITH_PORT=8002 goldsmith up" in said
    assert "Traceback" not in said
    assert not (home / "run" / "web.log").exists()
    assert not (home / "run" / "up.pid").exists()


def test_what_is_set_reaches_the_pages_and_a_second_one_over_the_same_home_is_refused(tmp_path: Path) -> None:
    env = environment(tmp_path / "home", GOLDSMITH_ALLOWED_HOSTS="gold.example")
    port = int(env["GOLDSMITH_PORT"])
    with up(env, tmp_path / "log"):
        wait_until(lambda: answers(port))
        asked = {host: get(port, "/healthz", host) for host in ("gold.example", "other.example")}
        assert asked == {"gold.example": 200, "other.example": 421}
        wait_until((tmp_path / "home" / "run" / "place.json").exists)  # written once the supervisor holds its lock
        code, said = refused({**env, "GOLDSMITH_PORT": str(free_port())})
        assert (code, "A supervisor is already running" in said) == (5, True), said
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_when_it_is_killed_its_processes_end_and_the_next_one_starts_at_once(tmp_path: Path) -> None:
    env = environment(tmp_path / "home")
    port = int(env["GOLDSMITH_PORT"])
    with up(env, tmp_path / "first") as first:
        wait_until(lambda: answers(port))
        before = children_of(first.pid)
        assert len(before) == 2
        first.kill()
        first.wait()
    with up(env, tmp_path / "second") as second:
        wait_until(lambda: len(children_of(second.pid)) == 2 and answers(port))
        assert [process for process in before if is_alive(process)] == []
        down = [sys.executable, "-m", "goldsmith", "down"]
        assert "Stopped Goldsmith" in subprocess.run(down, env=env, capture_output=True, text=True, check=True).stdout
        second.wait(timeout=ENDS_WITHIN_S)
        assert "was not running" in subprocess.run(down, env=env, capture_output=True, text=True, check=True).stdout


def test_a_number_that_belongs_to_another_process_now_is_not_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        (home / "run").mkdir(parents=True)
        said = {"pid": stranger.pid, "started_at": 1.0, "booted_at": 1.0}
        (home / "run" / "up.pid").write_text(json.dumps(said))
        down = [sys.executable, "-m", "goldsmith", "down", "--json"]
        done = subprocess.run(down, env=environment(home), capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["stopped"] is False
        assert stranger.poll() is None
        stranger.kill()


def children_of(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children()


def test_a_database_that_does_not_answer_is_said_in_a_sentence(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://goldsmith@127.0.0.1:{free_port()}/goldsmith"
    code, said = refused(environment(tmp_path / "home", GOLDSMITH_DATABASE_URL=url))
    assert code == 7
    assert "The database is not answering" in said
    assert "Traceback" not in said
