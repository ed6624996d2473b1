"""The backend `counting`: what can be chosen, what speaks against it, and which program is run. Light imports only."""

from typing import ClassVar

from pydantic import Field

from goldsmith.environments.machine import MachineFacts
from goldsmith.train.backends.base import Options, Plan, Problem


class CountingOptions(Options):
    """Settings of a training that only counts. The text under each is its help on the page."""

    num_epochs: int = Field(1, ge=1, le=50, title="Epochs")
    """How often every row is counted."""
    batch_size: int = Field(8, ge=1, le=512, title="Rows at once")
    """Rows that make one step."""
    save_every_steps: int = Field(5, ge=1, le=10000, title="Checkpoint every … steps")
    """How often a checkpoint is written."""
    max_length: int = Field(1024, ge=16, le=131072, title="Longest row (tokens)")
    """Rows with more tokens are left out and named."""
    lora_rank: int = Field(8, ge=1, le=256, title="LoRA rank")
    """Size of the made-up adapter."""
    step_s: float = Field(0.0, ge=0, le=60, title="Seconds a step")
    """How long a step waits, so that there is something to watch."""


class Counting:
    """A way to train."""

    name: ClassVar[str] = "counting"
    options: ClassVar[type[Options]] = CountingOptions

    def check(self, options: Options, machine: MachineFacts) -> list[Problem]:
        """It works everywhere."""
        del options, machine
        return []

    def plan(self, options: Options, machine: MachineFacts) -> Plan:
        """The program lies in this package; None: in Goldsmith's own Python (a real one names an environment)."""
        del machine
        return Plan("goldsmith_example.trainer", None, options.model_dump())
