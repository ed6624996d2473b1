"""One call of pip in an environment: its output read line by line, its failures turned into errors with a cure.

pip and not another installer, because people set up mirrors, proxies and certificates in pip's configuration. Knows
locks only as lines; called by `installer`.
"""

import json
import re
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldsmith.environments.errors import EnvironmentInstallFailed, RegistryDoesNotAnswer
from goldsmith.environments.types import Pin

NUM_LAST_LINES = 20
LARGE_MB = 100

_NO_ANSWER = (
    "after connection broken by",
    "Max retries exceeded",
    "Could not fetch URL",
    "Temporary failure in name resolution",
    "Name or service not known",
    "ReadTimeoutError",
    "ConnectTimeoutError",
)
_CURES = (
    ("No space left on device", "The disk is full: free some room, then start the install again."),
    ("Permission denied", "The home folder cannot be written: check who owns it."),
    ("ensurepip is not available", "Python's venv is missing: apt install python3-venv (or your system's package)."),
    (
        "DO NOT MATCH THE HASHES",
        "A file is not the one that the lock knows, so it was not installed. Ask whoever keeps your package mirror; "
        "without a mirror, clear pip's cache (pip cache purge) and try again.",
    ),
    (
        "No matching distribution found",
        "Your package registry does not have this version: check pip's configuration (pip config list).",
    ),
)


@dataclass(frozen=True)
class Sources:
    """Where packages come from: what pip's configuration says, and a second address for local builds of PyTorch."""

    torch_index_url: str
    env: Mapping[str, str] | None = None
    """The environment variables of pip; null: those of this process."""


@dataclass(frozen=True)
class Outcome:
    """How one program ended."""

    exit_code: int
    lines: tuple[str, ...]

    def says(self, *words: str) -> bool:
        """Whether any of the words stands in the output."""
        return any(word in line for word in words for line in self.lines)


def run(
    command: Sequence[str | Path],
    *,
    sources: Sources,
    lock_descriptor: int | None,
    on_line: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Run a program to its end, handing on each line of its output; it is stopped when we are."""
    inherited = () if lock_descriptor is None else (lock_descriptor,)
    last: deque[str] = deque(maxlen=2000)
    with subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=None if sources.env is None else dict(sources.env),
        pass_fds=inherited,
    ) as process:
        try:
            for line in process.stdout or ():
                last.append(line.rstrip())
                on_line(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    return Outcome(process.returncode, tuple(last))


def install(
    python: Path,
    pins: Sequence[Pin],
    *,
    sources: Sources,
    report: Callable[[str, float | None], None],
    lock_descriptor: int | None = None,
) -> dict[str, str]:
    """Install exactly these pins; returns the hash of each file that is not the one that the lock knows."""
    num_all, seen = len(pins), set[str]()

    def said(line: str) -> None:
        if found := re.match(r"Collecting (\S+?)==([^\s;]+)", line):
            seen.add(found[1])
            report(f"Fetching {found[1]} {found[2]} ({len(seen)} of {num_all})", 0.1 + 0.7 * len(seen) / num_all)
        elif large := large_file(line):
            report(f"Fetching {large}, this takes a while", None)
        elif line.startswith("Installing collected packages"):
            report("Unpacking what was fetched", 0.85 if len(seen) == num_all else None)

    with tempfile.TemporaryDirectory(prefix="goldsmith-pip-") as scratch:
        call = _Call(python, Path(scratch), sources, lock_descriptor, said)
        unproved: dict[str, str] = {}
        for pin in pins:
            if pin.is_local_build:
                unproved |= _install_local_build(call, pin, report)
        rest = [pin for pin in pins if not pin.is_local_build]
        if rest:
            check(call(rest, "--require-hashes"), "pip could not install the packages of the lock.")
    return unproved


def large_file(line: str) -> str | None:
    """Name and size, where a line of pip says that it fetches a file for which one waits."""
    found = re.match(r"\s*Downloading (?:\S*/)?([^/\s]+?)-\d\S* \(([\d.]+) (MB|GB)\)", line)
    if found is None or (found[3] == "MB" and float(found[2]) < LARGE_MB):
        return None
    return f"{found[1]}: {found[2]} {found[3]}"


@dataclass(frozen=True)
class _Call:
    python: Path
    scratch: Path
    sources: Sources
    lock_descriptor: int | None
    on_line: Callable[[str], None]

    def __call__(self, pins: Sequence[Pin], *options: str) -> Outcome:
        wanted = self.scratch / "requirements.txt"
        with_hashes = "--require-hashes" in options
        wanted.write_text("".join(f"{pin.line if with_hashes else pin.requirement}\n" for pin in pins))
        fixed = ("--no-deps", "--only-binary=:all:", "--no-input", "--progress-bar=off", "--no-warn-script-location")
        command = (self.python, "-I", "-m", "pip", "--disable-pip-version-check", "install", *fixed)
        return run(
            (*command, *options, "-r", wanted),
            sources=self.sources,
            lock_descriptor=self.lock_descriptor,
            on_line=self.on_line,
        )

    @property
    def report_file(self) -> Path:
        return self.scratch / "report.json"


def _install_local_build(call: _Call, pin: Pin, report: Callable[[str, float | None], None]) -> dict[str, str]:
    """Install a build such as `torch==2.13.0+cpu`: as pip is configured, else from the second address.

    Its hash is asked for first. Only if the lock says that its hash is not binding may the file be another build of
    the same version; that is said, and the file's hash is kept.
    """
    report(f"Fetching {pin.name} {pin.version}: the largest file, this takes a while", 0.1)
    where: tuple[str, ...] = ()
    unproved = ("--report", str(call.report_file))
    proved = ("--require-hashes",) if pin.hashes else unproved
    outcome = call([pin], *proved)
    if outcome.exit_code != 0 and outcome.says("No matching distribution found"):
        second = call.sources.torch_index_url
        report(f"pip's configuration does not offer {pin.requirement}: asking {second}", None)
        where = ("--extra-index-url", second)
        outcome = call([pin], *proved, *where)
    if outcome.exit_code != 0 and outcome.says("DO NOT MATCH THE HASHES") and not pin.is_hash_binding:
        report(f"{pin.requirement} comes as another build than the one seen with this lock; it is taken", None)
        outcome = call([pin], *unproved, *where)
    check(outcome, f"pip could not install {pin.requirement}.")
    return {pin.requirement: _hash_in(call.report_file)} if call.report_file.exists() else {}


def _hash_in(report_file: Path) -> str:
    """The hash of the one file in pip's report; empty where pip does not tell."""
    installed = json.loads(report_file.read_text(encoding="utf-8"))["install"]
    return str(installed[0]["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", ""))


def check(outcome: Outcome, what: str) -> None:
    """Raise the error for a program that failed: what failed, the last lines, and the cure."""
    if outcome.exit_code == 0:
        return
    last = "\n".join(outcome.lines[-NUM_LAST_LINES:])
    hint = next((cure for words, cure in _CURES if outcome.says(words)), None)
    if outcome.says(*_NO_ANSWER) and (hint is None or outcome.says("No matching distribution found")):
        raise RegistryDoesNotAnswer(f"{what} The package registry does not answer. The last lines:\n{last}")
    raise EnvironmentInstallFailed(f"{what} The last lines:\n{last}", hint=hint)
