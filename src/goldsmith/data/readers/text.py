"""A text file as lines and pieces of bounded length, whatever the file's size. Knows encodings, not formats."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self, TextIO

from goldsmith.data.readers.encoding import MARK_ERRORS
from goldsmith.data.readers.types import Encoding

HEAD_CHARS = 1 << 18
_PIECE_CHARS = 1 << 16
_SHOWN_CHARS = 200


class Line(NamedTuple):
    """A line with its end. A line over the limit is cut short, and the rest of it is passed over."""

    number: int
    text: str
    is_cut: bool


@dataclass(slots=True)
class Meter:
    """How many bytes were read since the file was opened last."""

    num_bytes: int = 0


class _Metered(io.FileIO):
    """A file whose reads are counted."""

    def __init__(self, path: Path, meter: Meter) -> None:
        super().__init__(path)
        self._meter = meter
        meter.num_bytes = 0

    def readinto(self, buffer: Any, /) -> int | None:
        """Read, and count."""
        num_bytes = super().readinto(buffer)
        self._meter.num_bytes += num_bytes or 0
        return num_bytes


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file whose encoding is known."""

    path: Path
    encoding: Encoding
    meter: Meter = field(default_factory=Meter, compare=False)

    def share_read(self, num_rows: int) -> float:
        """How much of the file was read, from 0 to 1, however many rows that were."""
        del num_rows
        return min(1.0, self.meter.num_bytes / max(1, self.path.stat().st_size))

    def head(self) -> str:
        """The first characters, without a byte order mark."""
        with self._open("\n") as stream:
            return stream.read(HEAD_CHARS).removeprefix("\ufeff")

    def pieces(self) -> Iterator[str]:
        """The whole text in pieces."""
        with self._open("\n") as stream:
            is_first = True
            while piece := stream.read(_PIECE_CHARS):
                yield piece.removeprefix("\ufeff") if is_first else piece
                is_first = False

    def lines(self, max_chars: int) -> "Lines":
        """The lines, to be closed by the caller (`with`)."""
        # A lone CR ends lines only in files of old Macs, which have no LF at all; elsewhere it belongs to a value.
        head = self.head()
        end = "\r" if "\r" in head and "\n" not in head else "\n"
        return Lines(self._open(end), max_chars, end=end)

    def _open(self, newline: str) -> TextIO:
        content = io.BufferedReader(_Metered(self.path, self.meter))
        return io.TextIOWrapper(content, encoding=self.encoding.name, errors=MARK_ERRORS, newline=newline)


class Lines:
    """Lines of bounded length, one after the other."""

    def __init__(self, stream: TextIO, max_chars: int, *, end: str) -> None:
        self._stream = stream
        self._end = end
        self._max_chars = max_chars
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def __iter__(self) -> Iterator[Line]:
        while line := self.read():
            yield line

    def read(self) -> Line | None:
        """The next line, or None at the end of the file."""
        text = self._stream.readline(self._max_chars + 2)
        if not text:
            return None
        self._number += 1
        if self._number == 1:
            text = text.removeprefix("\ufeff")
        if len(text) < self._max_chars + 2 or text.endswith(self._end):
            return Line(self._number, text, is_cut=False)
        self._pass_over(text)
        return Line(self._number, text[:_SHOWN_CHARS], is_cut=True)

    def _pass_over(self, text: str) -> None:
        while text and not text.endswith(self._end):
            text = self._stream.readline(_PIECE_CHARS)
