"""An answer's text while it is written: lines in the job's folder, from the worker that asks to whoever listens.

Only for the time of the work: what was answered is kept in the database, and the file is deleted. It knows no answer
but its text, and no attempt: a worker that begins anew says so with the first piece.
"""

import json
import logging
import os
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Self

from goldsmith.jobs.folder import JobFolder

log = logging.getLogger(__name__)


def path_in(folder: JobFolder) -> Path:
    """Where the pieces of text of a job lie."""
    return folder.root / "heard.jsonl"


def tell(path: Path, text: str, is_first: bool) -> None:
    """Add a piece of text; `is_first`: the answer begins with it, whatever was told before.

    Where it cannot be written nobody hears it; the answer itself is not lost for that.
    """
    line = json.dumps({"delta": text, "is_first": is_first}) + "\n"
    begin = "\n" if is_first else ""  # ends a line that a worker was killed in
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, (begin + line).encode())
        finally:
            os.close(file)
    except OSError as error:
        log.warning("Nobody hears this answer while it is written: %s", error)


class Heard:
    """Reads what was told since the last time, also when the file was deleted in between, and then made anew."""

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
        found = self._read()
        if self._file is None or self._is_another_there():
            if self._file is not None:
                self._file.close()
            self._file, self._rest = self._open(), b""
            found += self._read()
        self.has_heard = self.has_heard or bool(found)
        return found

    def _read(self) -> list[dict[str, object]]:
        if self._file is None:
            return []
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return [piece for line in lines if (piece := _piece(line)) is not None]

    def _open(self) -> BufferedReader | None:
        try:
            return self._path.open("rb")
        except FileNotFoundError:
            return None

    def _is_another_there(self) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return self._file is not None and not os.path.samestat(there, os.fstat(self._file.fileno()))


def _piece(line: bytes) -> dict[str, object] | None:
    """None for a line that a worker was killed in."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
