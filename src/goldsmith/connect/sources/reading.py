"""One file as batches: through the readers that read uploads, row by row, resumable in its middle.

Used by every kind of source that is made of files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from goldsmith.connect.sources.types import BATCH_ROWS, Batch, FoundRow, NotTaken
from goldsmith.connect.sources.values import id_trouble
from goldsmith.data import readers
from goldsmith.data.readers import BadRow, ReadItem
from goldsmith.data.readers.errors import UnreadableFile

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".xlsx", ".parquet")
"""Of files that are read; others are passed over."""
MAX_FILE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class SourceFile:
    """A file of a source, under the name that it has there."""

    path: Path
    name: str
    state: str
    """The hash of its bytes, or what says as much."""
    id_column: str = ""
    """Without it a row is known by its file and its place in it."""


def batches(file: SourceFile, *, done: int = 0) -> Iterator[Batch]:
    """Its rows behind the first `done`, which were kept before. A file that cannot be read is said, and left as it was.

    Its earlier rows stay then: a file that was spoiled takes nothing away.
    """
    try:
        source = readers.open_rows(file.path, filename=file.name)
        items = iter(source)
        for _ in islice(items, done):
            pass
        is_begun, number = done == 0, done
        while some := list(islice(items, BATCH_ROWS)):
            number += len(some)
            rows, not_taken = _sorted(file, some)
            cursor = {"group": file.name, "state": file.state, "done": number}
            yield Batch(rows, cursor, not_taken, file.name, is_begun=is_begun)
            is_begun = False
        yield Batch(group=file.name, is_begun=is_begun, is_ended=True, group_state=file.state)
    except (UnreadableFile, OSError) as error:
        reason = error.message if isinstance(error, UnreadableFile) else f"it cannot be opened ({error.strerror})"
        yield unread(file.name, file.state, reason)


def unread(name: str, state: str, reason: str) -> Batch:
    """That a file was not read, and is not tried again until it has changed."""
    return Batch(not_taken=(NotTaken(name, reason),), group=name, group_state=state)


def _sorted(file: SourceFile, some: list[ReadItem]) -> tuple[list[FoundRow], list[NotTaken]]:
    rows: list[FoundRow] = []
    not_taken: list[NotTaken] = []
    for item in some:
        made = _row(file, item)
        if isinstance(made, FoundRow):
            rows.append(made)
        else:
            not_taken.append(made)
    return rows, not_taken


def _row(file: SourceFile, item: ReadItem) -> FoundRow | NotTaken:
    place = f"{file.name}, row {item.number}"
    if isinstance(item, BadRow):
        return NotTaken(place, f"column “{item.column}”: {item.reason}" if item.column else item.reason)
    if not file.id_column:
        trouble = id_trouble(f"{file.name}#{item.number}", "name of its file")
        return NotTaken(place, trouble) if trouble else FoundRow(f"{file.name}#{item.number}", item.values, place)
    if file.id_column not in item.values:
        return NotTaken(place, f"it has no column “{file.id_column}”")
    source_id = item.values[file.id_column].strip()
    trouble = id_trouble(source_id, file.id_column)
    return NotTaken(place, trouble) if trouble else FoundRow(source_id, item.values, place)
