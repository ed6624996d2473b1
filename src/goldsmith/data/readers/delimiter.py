"""Which delimiter a text uses: the one under which the first 200 records most often have as many values as the header.

Pure; called for delimited files where nobody chose one.
"""

import csv
from collections.abc import Iterator
from itertools import islice

CANDIDATES = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
NUM_RECORDS = 200


def find(head: str) -> str | None:
    """The delimiter, or None where the text has one column (or where none separates the header)."""
    lines = head.splitlines(keepends=True)
    if len(lines) > 1 and not head.endswith(("\n", "\r")):
        lines.pop()  # the head of a long file ends in the middle of a line
    scores = {candidate: _score(lines, candidate) for candidate in CANDIDATES}
    best = max(CANDIDATES, key=lambda candidate: scores[candidate])
    return best if scores[best][0] > 0 else None


def _score(lines: list[str], candidate: str) -> tuple[float, int]:
    """The share of records with as many values as the header, then that number."""
    counts = [len(record) for record in islice(_records(lines, candidate), NUM_RECORDS)]
    if not counts or counts[0] < 2:
        return (0.0, 0)
    return (counts.count(counts[0]) / len(counts), counts[0])


def _records(lines: list[str], candidate: str) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=candidate)
    try:
        yield from (record for record in reader if record)
    except csv.Error:
        return
