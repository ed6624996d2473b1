"""The objects of a file as OpenAI gives them: one a line, a list, a page of a list, or a single one over many lines."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from goldsmith.connect.openai.types import FileKind

MAX_DOCUMENT_BYTES: Final = 64_000_000
"""A file whose lines are no objects of their own is read as a whole; up to this size."""
MAX_LINE_BYTES: Final = 16_000_000
_NAMED = (FileKind.EVAL, FileKind.EVAL_RUN, FileKind.EVAL_OUTPUT, FileKind.COMPLETIONS, FileKind.JOBS)
_BY_NAME = {kind.value: kind for kind in _NAMED}


def objects(path: Path) -> Iterator[dict[str, Any]]:
    """Every object of the file in its order. Lines that are none are passed over: the import lists them."""
    with path.open("rb") as file:
        first = _first_line(file.readline(MAX_LINE_BYTES))
    if first is None:
        yield from _document(path)
    elif isinstance(first, list) or _is_page(first):
        yield from _unwrapped(first)
        yield from islice(_lines(path), 1, None)
    else:
        yield from _lines(path)


def kind_of(path: Path) -> FileKind:
    """What the file holds, told by the first of its objects that says so."""
    for found in islice(objects(path), 20):
        kind = kind_of_object(found)
        if kind is not FileKind.OTHER:
            return kind
    return FileKind.OTHER


def is_export(path: Path) -> bool:
    """Whether the file holds what means something only together with others of OpenAI's: not rows, and not chats."""
    return kind_of(path) not in (FileKind.OTHER, FileKind.CHATS, FileKind.PREFERENCES)


def kind_of_object(found: Mapping[str, Any]) -> FileKind:
    """By the object's own name where it has one, else by its keys."""
    named = _BY_NAME.get(str(found.get("object")))
    if named is not None:
        return named
    if "testing_criteria" in found:
        return FileKind.EVAL
    if isinstance(found.get("item"), dict):
        return FileKind.EVAL_ROWS
    if "custom_id" in found:
        return FileKind.BATCH_INPUT if "body" in found else FileKind.BATCH_OUTPUT
    if "preferred_output" in found:
        return FileKind.PREFERENCES
    return FileKind.CHATS if isinstance(found.get("messages"), list) else FileKind.OTHER


def _first_line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES):
            found = _first_line(line)
            if isinstance(found, dict):
                yield from _unwrapped(found) if _is_page(found) else [found]


def _document(path: Path) -> Iterator[dict[str, Any]]:
    if path.stat().st_size <= MAX_DOCUMENT_BYTES:
        whole = _first_line(path.read_bytes())
        if whole is None:  # lines after a first one that is broken
            yield from _lines(path)
        else:
            yield from _unwrapped(whole)
    else:
        yield from _lines(path)


def _is_page(found: Any) -> bool:
    return isinstance(found, dict) and found.get("object") == "list" and isinstance(found.get("data"), list)


def _unwrapped(whole: Any) -> list[dict[str, Any]]:
    found = whole["data"] if _is_page(whole) else whole if isinstance(whole, list) else [whole]
    return [each for each in found if isinstance(each, dict)]
