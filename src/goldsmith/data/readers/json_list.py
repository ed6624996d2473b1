"""The elements of one top-level JSON list as separate texts, in bounded memory, without parsing them.

Only quotes and brackets are looked at, so an element with broken JSON inside does not spoil the next one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_OUTSIDE = re.compile(r'"[^"\\]*"|["\[\]{},]')
_INSIDE = re.compile(r'["\\]')


@dataclass(frozen=True, slots=True)
class Element:
    """One element, counted from 1, and the line on which it begins. `text` is None where it is too long."""

    number: int
    line: int
    text: str | None


@dataclass(frozen=True, slots=True)
class BrokenEnd:
    """The list does not end as it should; `number` is the element that it happens in or after."""

    number: int
    line: int
    reason: str


class ElementSplitter:
    """Takes the text in pieces, gives the elements."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._parts: list[str] = []
        self._num_chars = 0
        self._depth = 0
        self._is_in_string = False
        self._is_escaped = False
        self._is_closed = False
        self._number = 1
        self._line = 1
        self._starts_on_line: int | None = None

    def split(self, pieces: Iterable[str]) -> Iterator[Element | BrokenEnd]:
        """All elements of the list that the pieces make up."""
        for piece in pieces:
            yield from self._feed(piece)
            if self._is_closed and self._num_chars:
                yield BrokenEnd(
                    self._number,
                    self._starts_on_line or self._line,
                    "there is more text after the end of the list; it was not read",
                )
                return
        if not self._is_closed:
            line = self._starts_on_line or self._line
            reason = (
                "the file ends before this element and the list are closed; it was cut off, or a bracket is missing"
            )
            yield BrokenEnd(self._number, line, reason)

    def _feed(self, piece: str) -> Iterator[Element]:
        begin = place = 0
        if self._is_escaped:
            self._is_escaped, place = False, 1
        while not self._is_closed:
            found = (_INSIDE if self._is_in_string else _OUTSIDE).search(piece, place)
            if found is None:
                break
            sign, place = found[0], found.end()
            if self._is_in_string:
                self._is_in_string = sign != '"'
                self._is_escaped = sign == "\\" and place == len(piece)
                place += sign == "\\"
            elif self._is_boundary(sign):
                self._keep(piece[begin : found.start()])
                begin = place
                yield from self._element(sign)
        self._keep(piece[begin:])

    def _is_boundary(self, sign: str) -> bool:
        """Whether an element begins or ends here; keeps account of strings and brackets."""
        if len(sign) > 1:  # a whole string
            return False
        if sign == '"':
            self._is_in_string = True
            return False
        if sign in "[{":
            self._depth += 1
            return self._depth == 1
        if sign == ",":
            return self._depth == 1
        if self._depth > 1:
            self._depth -= 1
            return False
        self._is_closed = sign == "]"
        return self._is_closed

    def _element(self, sign: str) -> Iterator[Element]:
        text = "".join(self._parts).strip() if self._num_chars <= self._max_chars else None
        # What stands before the list, and nothing between a comma or `[` and `]`, is no element.
        if sign == "," or (sign == "]" and text != ""):
            yield Element(self._number, self._starts_on_line or self._line, text)
            self._number += 1
        self._parts.clear()
        self._num_chars = 0
        self._starts_on_line = None

    def _keep(self, text: str) -> None:
        if not self._num_chars:
            stripped = text.lstrip()
            self._line += text.count("\n", 0, len(text) - len(stripped))
            text = stripped
            if text:
                self._starts_on_line = self._line
        self._line += text.count("\n")
        self._num_chars += len(text)
        if self._num_chars <= self._max_chars:
            self._parts.append(text)
        else:
            self._parts.clear()
