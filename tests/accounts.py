"""What a run of tests has to account for: nothing real was passed over, and how much was real.

`tests/run_all.sh` names its step in GOLDSMITH_TEST_STEP. In the guarded steps, where CI=true, a test
that was skipped fails the run, and so does one of `real` that was deselected: it would look like a test that passed.
What was real is counted in what the tests left on disk, not in what they say.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from goldsmith.wire import events
from goldsmith.wire.events import EventKind

GUARDED_STEPS = ("postgresql", "long", "real")
TRAINER = "goldsmith.trainers.trl_sft"
ENGINE_START = b"--- start on port"
REAL_TALLY = pytest.StashKey["Tally"]()


@dataclass(frozen=True)
class Tally:
    """How much of it was real."""

    trainings: int
    """Attempts whose program began."""
    training_steps: int
    engine_starts: int
    answers: int

    @classmethod
    def of(cls, root: Path) -> "Tally":
        """Counted in everything below a folder."""
        attempts = [path for path in root.rglob("attempts/*/events.jsonl") if _is_real(path)]
        said = [[event.kind for event in events.read(path)] for path in attempts]
        return cls(
            trainings=sum(EventKind.STARTED in kinds for kinds in said),
            training_steps=sum(kinds.count(EventKind.STEP) for kinds in said),
            engine_starts=sum(path.read_bytes().count(ENGINE_START) for path in root.rglob("engines/*/log*")),
            answers=sum(_num_answers(path) for path in root.rglob("goldsmith.db")),
        )

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, each.name)} {each.name.replace('_', ' ')}" for each in fields(self))

    @property
    def lacks(self) -> list[str]:
        """What there was none of."""
        return [each.name.replace("_", " ") for each in fields(self) if getattr(self, each.name) == 0]


def _is_real(events_file: Path) -> bool:
    order = events_file.parents[2] / "job.json"
    return order.exists() and TRAINER in order.read_text(encoding="utf-8")


def _num_answers(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'answers'").fetchone():
            return 0
        query = "SELECT count(*) FROM answers WHERE state = 'answered' AND served_by IS NOT NULL"
        return int(database.execute(query).fetchone()[0])


class Guard:
    """A plugin of pytest: lets no test of a guarded step be passed over in silence."""

    def __init__(self, step: str, *, is_ci: bool) -> None:
        self.step = step
        self.is_strict = is_ci and step in GUARDED_STEPS
        self.passed_over: list[str] = []
        self.num_passed = 0

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """A test that the command line left out."""
        if self.step == "real":
            self.passed_over += [f"{item.nodeid} (deselected)" for item in items]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test, or a part of it, is over."""
        self.num_passed += report.when == "call" and report.passed
        if report.skipped and not hasattr(report, "wasxfail"):
            self.passed_over.append(f"{report.nodeid} (skipped)")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole module may skip itself."""
        if report.skipped:
            self.passed_over.append(f"{report.nodeid} (skipped)")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail where something was passed over, or where nothing was real that should have been."""
        if self.is_strict and (self.passed_over or self._unreal(session.config)):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Say it, so that whoever reads the end of the run knows."""
        if self.step not in GUARDED_STEPS:
            return
        terminalreporter.write_line(f"{self.step}: {self.num_passed} tests passed")
        tally = config.stash.get(REAL_TALLY, None)
        if tally is not None:
            terminalreporter.write_line(f"real: {tally}")
        if self.is_strict:
            for each in [*self.passed_over, *(f"there were no real {name}" for name in self._unreal(config))]:
                terminalreporter.write_line(f"FAILED because CI=true and: {each}", red=True)

    def _unreal(self, config: pytest.Config) -> list[str]:
        tally = config.stash.get(REAL_TALLY, None)
        return tally.lacks if tally is not None and self.step == "real" else []


def register(config: pytest.Config) -> None:
    """Guard this run. Workers of pytest-xdist report to the process that started them, which guards alone."""
    if not hasattr(config, "workerinput"):
        step = os.environ.get("GOLDSMITH_TEST_STEP", "")
        config.pluginmanager.register(Guard(step, is_ci=os.environ.get("CI") == "true"), "goldsmith-guard")
