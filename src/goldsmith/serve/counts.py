"""What is counted about answers: how many, how many went wrong, how long they were and how long they took. Pure.

Lengths and times are kept as sums of logarithms and of their squares: enough for means and their intervals, and no
single request is remembered. Filled by the gateway, kept by `traffic.py`, judged by `watching.py`.
"""

import math
from dataclasses import dataclass, fields
from typing import NamedTuple


class TrafficKey(NamedTuple):
    """What is counted together: a minute of one model behind one version of an alias; no alias: it was named itself."""

    minute: int
    """Minutes since 1970."""
    domain: str
    alias: str
    version: int
    model_id: str


@dataclass
class Counts:
    """Sums over answers. `num_…` are numbers of answers."""

    num_requests: int = 0
    num_errors: int = 0
    """The engine failed, fell silent, or could not be reached; not what a caller asked wrongly."""
    num_with_schema: int = 0
    """Whole answers to requests that wanted JSON."""
    num_invalid_json: int = 0
    num_timed: int = 0
    """Good answers, from the request to the last byte."""
    seconds: float = 0.0
    log_seconds: float = 0.0
    log_seconds_squared: float = 0.0
    num_measured: int = 0
    """Good answers whose length is known."""
    tokens: int = 0
    log_tokens: float = 0.0
    log_tokens_squared: float = 0.0

    def add(self, other: "Counts") -> None:
        """Add another's sums."""
        sums = vars(self)
        for name, value in vars(other).items():
            sums[name] += value

    def time(self, seconds: float) -> None:
        """A good answer took so long."""
        value = math.log(max(seconds, 1e-4))
        self.num_timed += 1
        self.seconds += seconds
        self.log_seconds += value
        self.log_seconds_squared += value * value

    def measure(self, tokens: int) -> None:
        """A good answer was so long."""
        value = math.log(tokens + 1)
        self.num_measured += 1
        self.tokens += tokens
        self.log_tokens += value
        self.log_tokens_squared += value * value

    @property
    def mean_seconds(self) -> float | None:
        """How long a good answer took; None when there was none."""
        return self.seconds / self.num_timed if self.num_timed else None

    @property
    def mean_tokens(self) -> float | None:
        """How long a good answer was; None when none was measured."""
        return self.tokens / self.num_measured if self.num_measured else None


NAMES = tuple(each.name for each in fields(Counts))
