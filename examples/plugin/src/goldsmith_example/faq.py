"""The source `faq`: a JSON file with questions and answers, `{"17": {"question": "…", "answer": "…"}, …}`.

The file is one group: as long as its bytes stay the same there is nothing to read, and what left it is gone.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from goldsmith.connect.sources.errors import OptionsNotUsable, SourceRefused
from goldsmith.connect.sources.types import (
    BATCH_ROWS,
    Batch,
    FoundRow,
    Looked,
    NotTaken,
    OpenSource,
    Since,
    SourceOptions,
    Surroundings,
)


class FaqOptions(SourceOptions):
    """What a person fills in."""

    path: str = Field(title="File", min_length=1)
    """The whole path of the JSON file on this machine."""


class Faq:
    """The kind of source."""

    name: ClassVar[str] = "faq"
    title: ClassVar[str] = "Questions and answers"
    about: ClassVar[str] = "A JSON file with a question and an answer under each number."
    Options: ClassVar[type[SourceOptions]] = FaqOptions

    def open(self, options: FaqOptions, surroundings: Surroundings) -> OpenSource:
        """The file, without reading it yet."""
        return FaqFile(Path(options.path), surroundings)


class FaqFile:
    """One such file."""

    def __init__(self, path: Path, surroundings: Surroundings) -> None:
        self._path, self._surroundings = path, surroundings

    def look(self) -> Looked:
        """See whether it can be read."""
        rows = self._rows(self._read())
        return Looked(f"{self._path.name} can be read and holds {len(rows):,} questions.", ("question", "answer"))

    def fetch(self, since: Since) -> Iterator[Batch]:
        """Everything, if the file has changed; what was kept of it already is passed over."""
        raw = self._read()
        state = hashlib.sha256(raw).hexdigest()
        if since.groups.get(self._path.name) == state:
            return
        rows = list(self._rows(raw).items())
        done = int(since.cursor.get("done", 0)) if since.cursor.get("state") == state else 0
        for start in range(done, max(len(rows), 1), BATCH_ROWS):
            end = start + BATCH_ROWS
            is_last = end >= len(rows)
            found = [_row(key, row) for key, row in rows[start:end]]
            yield Batch(
                rows=[row for row in found if isinstance(row, FoundRow)],
                not_taken=[row for row in found if isinstance(row, NotTaken)],
                cursor={} if is_last else {"state": state, "done": end},
                group=self._path.name,
                is_begun=start == 0,
                is_ended=is_last,
                group_state=state if is_last else None,
                share=min(1.0, end / max(len(rows), 1)),
            )

    def _read(self) -> bytes:
        real = self._path.resolve()
        if not any(real.is_relative_to(root.resolve()) for root in self._surroundings.roots):
            raise SourceRefused(
                f"{real} lies outside of the folders that may be read.", hint="Move it below one of them."
            )
        if real.is_relative_to(self._surroundings.private.resolve()):
            raise SourceRefused(f"{real} is Goldsmith's own.", hint="Choose another file.")
        try:
            return real.read_bytes()
        except OSError as error:
            raise OptionsNotUsable(f"{real} cannot be read: {error.strerror}.") from error

    def _rows(self, raw: bytes) -> dict[str, Any]:
        try:
            found = json.loads(raw)
        except ValueError as error:
            raise OptionsNotUsable(f"{self._path.name} is no JSON: {error}.") from error
        if not isinstance(found, dict):
            raise OptionsNotUsable(f"{self._path.name} has to be a JSON object, number by number.")
        return found


def _row(key: str, row: Any) -> FoundRow | NotTaken:
    texts = (row.get("question"), row.get("answer")) if isinstance(row, dict) else ()
    if len(texts) != 2 or not all(isinstance(text, str) for text in texts):
        return NotTaken(f"number {key}", "it needs a question and an answer, both texts")
    return FoundRow(key, {"question": texts[0], "answer": texts[1]}, f"number {key}")
