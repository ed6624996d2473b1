"""A Chromium for tests and pictures: one that is there, else Playwright's own, else the system's package as root.

`python -m tests.chromium` gets one and says what it does and why it takes long; the second time it is there at once.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell")
COMMAND = "apt-get install -y chromium"
DOWNLOAD_WITHIN_S = 300
PACKAGE_WITHIN_S = 900
# Without its sandbox, which root cannot have in a container; it opens nothing but our own pages.
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@cache
def find() -> str | None:
    """The program, or None."""
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path and _works(path)), None) or _playwrights()


def get() -> str:
    """The program, got when there is none. Ends the process with the one command when that cannot be done."""
    return find() or _download() or _install() or sys.exit(f"No Chromium. As root run: {COMMAND}")


def _download() -> str | None:
    _say("No Chromium is here. Fetching Playwright's own (about 150 MB, once)")
    # One try with a short wait: where its host cannot be reached, the system's package is the quicker way.
    env = {**os.environ, "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "5000"}
    argv = [sys.executable, "-m", "playwright", "install", "chromium"]
    why = _run(argv, env=env, within_s=DOWNLOAD_WITHIN_S)
    found = None if why else _playwrights()
    if found is None:
        _say(f"Playwright's own could not be had ({why or 'it does not start'})")
    return found


def _install() -> str | None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    _say("Installing the system's package with apt-get (about 30 s and 300 MB, once)")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for argv in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        why = _run(argv, env=env, within_s=PACKAGE_WITHIN_S)
        if why:
            _say(f"{' '.join(argv)} failed ({why})")
            return None
    find.cache_clear()
    return find()


def _run(argv: list[str], *, env: dict[str, str], within_s: float) -> str:
    """Run a program; what it said was wrong when it failed, else nothing."""
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=within_s, check=False)
    except subprocess.TimeoutExpired:
        return f"not done within {within_s:.0f} s"
    lines = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    errors = [line.strip() for line in lines if "rror" in line] or lines[-1:] or [f"exit code {done.returncode}"]
    return "" if done.returncode == 0 else errors[-1][:200]


def _works(path: str) -> bool:
    """Some systems have a stub of this name that only says how to install it."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _playwrights() -> str | None:
    """The newest one that Playwright has fetched and that starts here."""
    cache_folder = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "~/.cache/ms-playwright")
    found = sorted(Path(cache_folder).expanduser().glob("chromium-*/chrome-linux*/chrome"), reverse=True)
    return next((str(path) for path in found if _works(str(path))), None)


def _say(text: str) -> None:
    print(f"   {text}", flush=True)


if __name__ == "__main__":
    print(f"   Chromium: {get()}")
