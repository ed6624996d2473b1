"""What all benchmarks share: interleaved rounds, medians with their range, and a section of RESULTS.md.

A benchmark measures what it compares in turn, so that a slow minute of the machine hits all of it, and writes its own
section of RESULTS.md, which replaces the one that it wrote before. Knows nothing of what is measured.
"""

import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROUNDS = 5
ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("RESULTS.md")
HEADING = "# Results\n\nWritten by the benchmarks beside this file; README.md says what each measures and how.\n"


@dataclass(frozen=True)
class Measured:
    """The values of one thing, in the order in which they were measured."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        """Of a hundred values, 95 are at most this one."""
        return sorted(self.values)[math.ceil(0.95 * len(self.values)) - 1]

    def __truediv__(self, other: "Measured") -> "Measured":
        """Round by round: how many times the other."""
        return Measured(tuple(ours / theirs for ours, theirs in zip(self.values, other.values, strict=True)))

    def text(self, unit: str = "", digits: int = 2) -> str:
        """The median with its range: "2.41 s (2.38 to 2.60)"."""
        low, high = min(self.values), max(self.values)
        return f"{self.median:,.{digits}f}{unit and ' '}{unit} ({low:,.{digits}f} to {high:,.{digits}f})"


def interleaved(
    subjects: Mapping[str, Callable[[], float]], *, rounds: int = ROUNDS, within_s: float = math.inf
) -> dict[str, Measured]:
    """Measure each subject once a round, every second round backwards. A subject returns its value.

    No further round begins that would not end within `within_s` if it took as long as the longest so far.
    """
    values: dict[str, list[float]] = {name: [] for name in subjects}
    began, longest = time.monotonic(), 0.0
    for number in range(rounds):
        round_began = time.monotonic()
        if round_began - began + longest > within_s:
            print(f"There is no time for round {number + 1} of {rounds}.", flush=True)
            break
        order = list(subjects) if number % 2 == 0 else list(subjects)[::-1]
        for name in order:
            values[name].append(subjects[name]())
            print(f"round {number + 1} of {rounds}, {name}: {values[name][-1]:,.3f}", flush=True)
        longest = max(longest, time.monotonic() - round_began)
    return {name: Measured(tuple(found)) for name, found in values.items()}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; every column but the first holds numbers."""
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_section(title: str, *blocks: str, command: str) -> None:
    """Write a section of RESULTS.md in the place of the one with the same title, else at the end."""
    section = "\n\n".join([f"## {title}", f"{_circumstances()} Command: `{command}`.", *blocks]) + "\n"
    parts = (RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else HEADING).split("\n## ")
    first, found = parts[0], {part.partition("\n")[0].strip(): f"## {part.strip()}\n" for part in parts[1:]}
    found[title] = section
    RESULTS.write_text("\n".join([f"{first.strip()}\n", *found.values()]), encoding="utf-8")
    print(f"\n{section}\nWritten to {RESULTS.relative_to(ROOT)}.")


def _circumstances() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[1]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit.strip() or 'unknown'}, {_processor()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {sys.platform}; "
        f"{load:.1f} programs at work on average in the five minutes before the end."
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
