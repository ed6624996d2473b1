"""Starts a server, waits for its first answer and ends it. Knows nothing of what it serves."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOOK_EVERY_S = 0.005
PATIENCE_S = 180.0
"""A machine that does much else needs longer to start a program than any goal allows."""


@dataclass(frozen=True)
class Server:
    """A server that answers; `start_s` is how long that took."""

    process: "subprocess.Popen[bytes]"
    port: int
    start_s: float

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def empty_home(**more: str) -> Iterator[dict[str, str]]:
    """The environment of a Goldsmith with a home of its own and a free port; the home is removed."""
    with tempfile.TemporaryDirectory(prefix="goldsmith-benchmark-") as folder:
        own = {name: value for name, value in os.environ.items() if not name.startswith("GOLDSMITH_")}
        ports = {"GOLDSMITH_PORT": str(free_port()), "GOLDSMITH_ENGINE_PORT": str(free_port())}
        yield {**own, **ports, "GOLDSMITH_HOME": str(Path(folder) / "home"), **more}


@contextmanager
def served(argv: Sequence[str], *, port: int, env: Mapping[str, str]) -> Iterator[Server]:
    """A program of this Python that answers `/healthz`; ended as Ctrl-C does."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *argv], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield Server(process, port, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=PATIENCE_S)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode} before it answered")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(LOOK_EVERY_S)
    raise RuntimeError(f"{url} did not answer within {PATIENCE_S:.0f} s")
