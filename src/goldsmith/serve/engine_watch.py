"""What the keeper remembers between its ticks: of one engine, and of a model on its way into one."""

import time
from dataclasses import dataclass, field

from goldsmith.jobs.types import ChildId
from goldsmith.serve.operations import Look, Operation


@dataclass
class Watch:
    """What the keeper remembers of one engine between ticks; all of it is found out again by another keeper."""

    generation: int
    process: ChildId | None = None
    has_answered: bool = False
    last_life: float = field(default_factory=time.monotonic)
    listed: frozenset[str] | None = None
    base_name: str | None = None
    look: Operation[Look] | None = None
    next_look: float = 0.0
    stopping_since: float | None = None
    message: str = ""
    is_failing: bool = False
    """The last look gave no token."""
    was_away: bool = False
    """It did not answer since it last gave a token: what answers next may be another process."""
    trouble: str = ""
    """What it answers instead of a token."""

    def live(self) -> None:
        """A sign of life came."""
        self.last_life = time.monotonic()


@dataclass
class Load:
    """A model on its way into an engine or out of it."""

    operation: Operation[float] | Operation[bool]
    model_id: str
    is_loading: bool
