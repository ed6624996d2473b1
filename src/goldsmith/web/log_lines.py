"""Events of a job as lines of a log: `parts/log.html` shows them, wherever a job is told about."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from goldsmith.jobs.tables import JobEvent
from goldsmith.web import format as formats


@dataclass(frozen=True)
class LogLine:
    """A line of the log: when, what kind, the words."""

    at: datetime | None
    kind: str
    text: str
    look: str = ""


def log_line(event: JobEvent) -> LogLine:
    """An event as a line of the log."""
    facts = {name: value for name, value in event.data.items() if value is not None and name != "by"}
    named = [_named(name, value) for name, value in facts.items()]
    words = ", ".join(named)
    look = {"failed": "bad", "warning": "warn", "log": ""}.get(event.kind, "")
    return LogLine(event.at, event.kind.replace("_", " "), words, look)


def _named(name: str, value: Any) -> str:
    if name.endswith("loss") and isinstance(value, float):
        return f"{name.replace('_', ' ')} {formats.loss(value)}"
    if isinstance(value, list):
        return f"{len(value)} {name.replace('_', ' ')}"
    if name == "slot":
        return "on the processor" if value == "cpu" else f"on the graphics card {str(value).removeprefix('gpu')}"
    return _short(value) if name == "because" else f"{name} {_short(value)}"


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 200 else text[:200] + "…"
