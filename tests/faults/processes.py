"""Goldsmith's own processes and a client, for tests that take something away from them while they work."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.invariants import Told

from goldsmith import app
from goldsmith.settings import Settings


def start(command: str, settings: Settings, log: Path) -> "subprocess.Popen[bytes]":
    """`goldsmith COMMAND` in a process of its own; what it says is appended to `log`."""
    argv = [sys.executable, "-m", "goldsmith", command]
    with log.open("ab") as said:
        return subprocess.Popen(
            argv, env=app.child_environment(settings), stdout=said, stderr=said, start_new_session=True
        )


@contextmanager
def running(command: str, settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The same, ended at the end of the block."""
    process = start(command, settings, log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until(is_so: Callable[[], object], *, within_s: float, every_s: float = 0.05, what: object = "") -> None:
    """Wait for something to come true, and say what did not."""
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end, (
            f"it did not come to be within {within_s} s: {what() if callable(what) else what}"
        )
        time.sleep(every_s)


@dataclass
class Client:
    """Somebody who asks, and keeps a log of what was answered and what was promised."""

    port: int
    key: str
    told: list[Told] = field(default_factory=list)
    acknowledged: list[tuple[str, str]] = field(default_factory=list)

    def ask(self, path: str, body: Any = None, *, accept: str = "*/*") -> Told | None:
        """The answer; None when nobody listens."""
        headers = {"Authorization": f"Bearer {self.key}", "Accept": accept, "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                told = _told(response.status, response)
        except urllib.error.HTTPError as error:
            told = _told(error.code, error)
        except OSError:
            return None
        self.told.append(told)
        return told

    def status(self, path: str, *, accept: str = "*/*") -> int:
        """The status; 0 when nobody listens."""
        told = self.ask(path, accept=accept)
        return told.status if told is not None else 0

    def save_prompt(self, name: str) -> int:
        """Write something, and remember it when it was acknowledged."""
        told = self.ask("/v1/prompts", {"name": name, "template": f"{name}: {{{{question}}}}"})
        if told is not None and told.status == 201:
            self.acknowledged.append(("prompts", json.loads(told.text)["id"]))
        return told.status if told is not None else 0


def _told(status: int, response: Any) -> Told:
    return Told(status, response.headers.get("content-type", ""), response.read().decode())
