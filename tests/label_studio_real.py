"""A real Label Studio from PyPI, in an environment of its own that stays; its data are thrown away.

Its telemetry, its look for a newer version and its reports of errors are off.
"""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOME = Path(os.environ.get("GOLDSMITH_TEST_HOME", Path.cwd() / ".goldsmith" / "test-home"))
LOCK = Path(__file__).with_name("label_studio_lock.txt")
BUILDS = ("setuptools==", "wheel==")
"""Five old packages of the lock exist as source only: what builds them goes in before."""
TOKEN = "0123456789abcdef0123456789abcdef01234567"
OFF = {"COLLECT_ANALYTICS": "False", "LATEST_VERSION_CHECK": "False", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
WITHIN_S = 420


class RealStudio:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Something of its API, as somebody who works there."""
        content = json.dumps(body).encode() if body is not None else None
        headers = {"authorization": f"Token {TOKEN}", "content-type": "application/json"}
        asked = urllib.request.Request(self.url + path, content, headers, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            found = answer.read()
        return json.loads(found) if found else None


def installed() -> Path:
    """The environment; made the first time, which takes a minute."""
    folder = HOME / f"label-studio-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    if (folder / "whole").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    lines = LOCK.read_text().splitlines()
    for some in ([line for line in lines if line.startswith(BUILDS)], lines):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
            wanted.write("\n".join(some))
            wanted.flush()
            pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
            how = ["--no-deps", "--require-hashes", "--no-compile", "--no-build-isolation", "-r", wanted.name]
            subprocess.run([*pip, *how], check=True, timeout=500)
    (folder / "whole").touch()
    return folder


@contextmanager
def running(folder: Path) -> Iterator[RealStudio]:
    """A fresh one on loopback; `folder` gets its log."""
    program, port = installed() / "bin" / "label-studio", _free_port()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="goldsmith-studio-", dir=memory if memory.is_dir() else folder) as data:
        env = {"PATH": os.environ["PATH"], "HOME": data, "LABEL_STUDIO_BASE_DATA_DIR": data, **OFF}
        env |= {"LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true", "SSRF_PROTECTION_ENABLED": "false"}
        who = ["--username", "ada@example.org", "--password", "s3cret-word", "--user-token", TOKEN]
        where = ["--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
        log = folder / "label-studio.log"
        with log.open("wb") as said:
            child = subprocess.Popen([str(program), "start", *where, *who], env=env, stdout=said, stderr=said, cwd=data)
        try:
            yield _answering(RealStudio(f"http://127.0.0.1:{port}"), child, log)
        finally:
            child.terminate()
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answering(studio: RealStudio, child: "subprocess.Popen[bytes]", log: Path) -> RealStudio:
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        if child.poll() is not None:
            raise AssertionError(f"Label Studio ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            studio.ask("GET", "/api/projects/")
        except (OSError, urllib.error.URLError):
            time.sleep(0.5)
        else:
            return studio
    raise AssertionError(f"Label Studio does not answer: {log.read_text(errors='replace')[-2000:]}")
