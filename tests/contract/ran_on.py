"""Prints at the end of a run of tests what the contract suites ran on, so that nobody has to believe that it was all.

A test of such a suite says it by `record_property(RAN_ON, "training backend fake")`; that reaches the process which
reports also from workers of pytest-xdist.
"""

from collections import Counter

import pytest

from goldsmith.testing.contracts import RAN_ON


class RanOn:
    """A plugin of pytest that counts."""

    def __init__(self) -> None:
        self._passed: Counter[str] = Counter()
        self._others: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test is over; one that was skipped in its set-up ran on nothing."""
        for name, value in report.user_properties:
            if name == RAN_ON and (report.when == "call" or (report.when == "setup" and not report.passed)):
                self._passed[str(value)] += report.passed
                self._others[str(value)] += not report.passed

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line for each thing."""
        for name in sorted(self._others):
            bad = f", {self._others[name]} failed or skipped" if self._others[name] else ""
            terminalreporter.write_line(f"contract: {name}: {self._passed[name]} tests passed{bad}")


def register(config: pytest.Config) -> None:
    """Count in the process that reports."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RanOn(), "goldsmith-contract")
