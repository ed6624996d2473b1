"""Prints what each step of the tests took beside its budget: `python -m tests.budget`, with lines `STEP SECONDS`."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

BUDGET = Path(__file__).with_name("BUDGET.md")
ROW = re.compile(r"\| (?P<step>[a-z]+) \| (?P<minutes>\d+) \| .* \|")


def budgets() -> dict[str, int]:
    """Step → minutes, as the table says."""
    rows = map(ROW.fullmatch, BUDGET.read_text(encoding="utf-8").splitlines())
    return {row["step"]: int(row["minutes"]) for row in rows if row}


def compare(measured: Iterable[str]) -> Iterator[str]:
    """One line for each step that was taken, and one for their sum."""
    allowed, total_s = budgets(), 0
    for line in measured:
        step, seconds = line.split()
        total_s += int(seconds)
        minutes, budget = int(seconds) / 60, allowed.get(step)
        beside = f"of {budget}" if budget is not None else "(no budget: add it to tests/BUDGET.md)"
        yield f"{step:<12} {minutes:5.1f} min {beside}{'   OVER' if budget is not None and minutes > budget else ''}"
    yield f"{'all':<12} {total_s / 60:5.1f} min"


if __name__ == "__main__":
    print("\nTime and budget (tests/BUDGET.md):")
    for text in compare(sys.stdin):
        print(f"  {text}")
