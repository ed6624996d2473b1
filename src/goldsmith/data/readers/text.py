"""A text file as lines and pieces of bounded length, whatever the file's size. Knows encodings, not formats."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self, TextIO

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


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file whose encoding is known."""

    path: Path
    encoding: Encoding

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
        return self.path.open(encoding=self.encoding.name, errors=MARK_ERRORS, newline=newline)


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
