"""A look at a batch's file before it is sent: what it asks, whom, and what would be refused. Writes nothing.

Only the beginning of a large file is looked at, so that a page can wait for it; the check of all of it is a job.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from goldsmith.run.batches.input_file import first_url, read_body, read_lines
from goldsmith.run.batches.naming import Names
from goldsmith.run.batches.types import ENDPOINTS, Fault, InputLine

MAX_LOOKED_REQUESTS = 1000
MAX_LOOKED_BYTES = 8 * 1024 * 1024
MAX_SHOWN_FAULTS = 10
NUM_SAMPLES = 3
MAX_SAMPLE_CHARACTERS = 280


@dataclass(frozen=True)
class NamedModel:
    """A name that requests call a model by; empty: they name none."""

    name: str
    num_requests: int
    model_ids: tuple[str, ...]
    """Which models that is; several when the name is an alias with shares. Empty: nobody here has this name."""


@dataclass(frozen=True)
class Sample:
    """One of the first requests."""

    custom_id: str
    model: str
    asks: str


@dataclass(frozen=True)
class BatchLook:
    """What a file would ask."""

    endpoint: str
    num_requests: int
    """How many were looked at."""
    is_whole: bool
    """Whether that is all of the file."""
    models: tuple[NamedModel, ...]
    samples: tuple[Sample, ...]
    faults: tuple[Fault, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong with what was looked at."""
        return not self.faults


@dataclass
class _Seen:
    counts: Counter[str] = field(default_factory=Counter)
    models: dict[str, set[str]] = field(default_factory=dict)
    good: list[InputLine] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    is_whole: bool = True


def preview(session: Session, path: Path, *, domain: str, endpoint: str | None = None) -> BatchLook:
    """What the beginning of a file asks; without an endpoint it is that of the first request."""
    first = first_url(path)
    asked = endpoint or (first if first in ENDPOINTS else ENDPOINTS[0])
    seen = _look(session, path, asked, Names(domain))
    models = tuple(
        NamedModel(name, number, tuple(sorted(seen.models[name]))) for name, number in seen.counts.most_common()
    )
    samples = _samples(path, seen.good[:NUM_SAMPLES])
    num_requests = sum(seen.counts.values())
    return BatchLook(asked, num_requests, seen.is_whole, models, samples, tuple(seen.faults))


def _look(session: Session, path: Path, endpoint: str, names: Names) -> _Seen:
    seen = _Seen()
    for line in read_lines(path, endpoint):
        if isinstance(line, Fault):
            seen.faults.append(line)
        else:
            _note(session, seen, line, names)
        if len(seen.faults) >= MAX_SHOWN_FAULTS or _is_enough(line, seen):
            seen.is_whole = False
            break
    return seen


def _note(session: Session, seen: _Seen, line: InputLine, names: Names) -> None:
    name = line.model or ""
    seen.counts[name] += 1
    model_id, words = names.find(session, line.model, line.custom_id)
    seen.models.setdefault(name, set()).update([model_id] if model_id else [])
    if model_id is None:
        seen.faults.append(Fault("model_not_found", words, line.number, "body.model"))
    if len(seen.good) < NUM_SAMPLES:
        seen.good.append(line)


def _is_enough(line: InputLine | Fault, seen: _Seen) -> bool:
    num_bytes = line.start_byte + line.num_bytes if isinstance(line, InputLine) else 0
    return sum(seen.counts.values()) >= MAX_LOOKED_REQUESTS or num_bytes >= MAX_LOOKED_BYTES


def _samples(path: Path, lines: list[InputLine]) -> tuple[Sample, ...]:
    with path.open("rb") as file:
        return tuple(
            Sample(line.custom_id, line.model or "", asked_by(read_body(file, line.start_byte, line.num_bytes)))
            for line in lines
        )


def asked_by(body: dict[str, object]) -> str:
    """What a request asks, as one reads it: the last message, the prompt, or the text to be measured."""
    messages = body.get("messages")
    asked: object = body.get("prompt", body.get("input", ""))
    if isinstance(messages, list) and messages and isinstance(messages[-1], dict):
        asked = messages[-1].get("content", "")
    if isinstance(asked, list):
        asked = " ".join(_text(part) for part in asked[:20])
    text = asked if isinstance(asked, str) else str(asked or "")
    return text if len(text) <= MAX_SAMPLE_CHARACTERS else text[:MAX_SAMPLE_CHARACTERS] + "…"


def _text(part: object) -> str:
    if isinstance(part, dict):
        return str(part.get("text") or f"({part.get('type', 'a part')})")
    return str(part)
