"""`events.jsonl`: what a child reports, one JSON object a line, append-only.

A line counts once its newline is there, so a line that was cut by a kill is not an event. `seq` counts from 1 within an
attempt; the parent applies events idempotently by job, attempt and seq. Knows no database and no backend.
"""

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

MAX_LINE_BYTES = 1_000_000
"""A longer line is not an event of ours; it is passed over, and the reader counts it."""

MAX_TEXT_CHARS = 20_000
"""A longer text is cut by the writer, so that a long traceback still arrives."""


class EventKind(StrEnum):
    """What a child can say."""

    STARTED = "started"
    """The program runs and has read its order. Data: versions, pid."""
    PHASE = "phase"
    """A named phase began. Data: name, text."""
    STEP = "step"
    """An optimiser step ended. Data: step, total_steps, epoch, loss, learning_rate, grad_norm, tokens_per_s, memory_mb,
    seconds_left, tokens_seen."""
    EVALUATED = "evaluated"
    """The exam rows were scored. Data: step, exam_loss."""
    SAMPLED = "sampled"
    """A few exam rows were answered by the model as it is; step 0 is the model before it learned. Data: step, answers
    (row_id, text, is_cut)."""
    SAVED = "saved"
    """A checkpoint is complete, its manifest written. Data: step, path."""
    LOG = "log"
    """A sentence for a person. Data: level, text."""
    STOPPED = "stopped"
    """The program was asked to stop, saved and ends with exit code 0. Data: step."""
    SUCCEEDED = "succeeded"
    """The result folder is complete, its manifest written. Data: the manifest's figures."""
    FAILED = "failed"
    """It cannot go on. Data: kind, summary, hint."""

    @property
    def is_last(self) -> bool:
        """Whether nothing may follow in this attempt."""
        return self in (EventKind.STOPPED, EventKind.SUCCEEDED, EventKind.FAILED)


@dataclass(frozen=True)
class Event:
    """One thing that a child said; `at` is seconds since 1970, UTC."""

    seq: int
    at: float
    kind: EventKind
    data: Mapping[str, Any]


class Writer:
    """Appends events to one attempt's file; each is on disk before `append` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seq = max((event.seq for event in read(path)), default=0)
        _end_cut_line(path)

    def append(self, kind: EventKind, /, **data: Any) -> Event:
        """Write one event and flush it to disk.

        NaN and infinity become null, because JSON has neither; long texts are cut. Raises ValueError when the event is
        still longer than a line may be.
        """
        self._seq += 1
        event = Event(self._seq, time.time(), kind, data)
        body = {"seq": event.seq, "at": event.at, "kind": kind.value, "data": _writable(data)}
        line = json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"an event of {len(line)} bytes is longer than {MAX_LINE_BYTES}")
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        return event


def read(path: Path) -> list[Event]:
    """All whole events of a file; an absent file has none."""
    return list(Tail(path).new_events())


class Tail:
    """Reads a growing file from where it stopped; `offset` is the byte behind the last line that was read."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset
        self.num_skipped = 0
        """Whole lines that were passed over because they are no events: cut, too long, or foreign."""

    def new_events(self) -> Iterator[Event]:
        """Events that were completed since the last call, in order. Lines that are no events are passed over."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            in_long_line = _is_inside_a_line(file, self.offset)
            while line := file.readline(MAX_LINE_BYTES):
                ends = line.endswith(b"\n")
                if not ends and len(line) < MAX_LINE_BYTES:
                    return
                self.offset += len(line)
                event = _parse(line) if ends and not in_long_line else None
                in_long_line = not ends
                if event is not None:
                    yield event
                elif ends:
                    self.num_skipped += 1


def _is_inside_a_line(file: BinaryIO, offset: int) -> bool:
    """Whether reading goes on in the midst of a line that was too long; leaves the file at `offset`."""
    if offset == 0:
        return False
    file.seek(offset - 1)
    return file.read(1) != b"\n"


def _parse(line: bytes) -> Event | None:
    try:
        body = json.loads(line, parse_constant=lambda _: None)
        return Event(int(body["seq"]), float(body["at"]), EventKind(body["kind"]), dict(body["data"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _end_cut_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb+") as file:
        if _is_inside_a_line(file, file.seek(0, os.SEEK_END)):
            file.seek(0, os.SEEK_END)
            file.write(b"\n")


def _writable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str) and len(value) > MAX_TEXT_CHARS:
        return value[:MAX_TEXT_CHARS] + "…"
    if isinstance(value, Mapping):
        return {key: _writable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_writable(item) for item in value]
    return value
