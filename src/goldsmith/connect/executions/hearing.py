"""An answer's text while it is written: lines in the job's folder, from the worker that asks to whoever listens.

Only for the time of the work: what was answered is kept in the database, and the file is deleted.
"""

import json
import os
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Self

from goldsmith.jobs.folder import JobFolder


def path_in(folder: JobFolder) -> Path:
    """Where the pieces of text of a job lie."""
    return folder.root / "heard.jsonl"


def tell(path: Path, text: str, is_first: bool) -> None:
    """Add a piece of text; `is_first`: the answer begins with it, whatever was told before."""
    line = json.dumps({"delta": text, "is_first": is_first}, ensure_ascii=False) + "\n"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


class Heard:
    """Reads what was told since the last time, also when the file was deleted in between."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BufferedReader | None = None
        self._rest = b""
        self.has_heard = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def more(self) -> list[dict[str, object]]:
        """New pieces: `delta` and `is_first`."""
        if self._file is None:
            try:
                self._file = self._path.open("rb")
            except FileNotFoundError:
                return []
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        self.has_heard = self.has_heard or bool(lines)
        return [json.loads(line) for line in lines]
