"""The `fake` backend: says and writes what a training does, in seconds, and learns nothing. For trying things out."""

from typing import ClassVar

from pydantic import Field

from goldsmith.environments.machine import MachineFacts
from goldsmith.train.backends.base import Options, Plan, Problem
from goldsmith.train.backends.methods import LEARNS, Method


class FakeOptions(Options):
    """Settings of a training that only pretends."""

    method: Method = Field("sft", title="Method")
    """With dpo it pretends to learn from pairs, and rows without a bad answer are left out; with kto from single marks.
    """
    num_epochs: int = Field(2, ge=1, le=50, title="Epochs")
    """How often every row is pretended to be learned from."""
    batch_size: int = Field(8, ge=1, le=512, title="Rows at once")
    """Rows that make one step."""
    learning_rate: float = Field(5e-4, gt=0, le=0.1, title="Learning rate")
    """Shown, and not used."""
    lora_rank: int = Field(8, ge=1, le=256, title="LoRA rank")
    """Size of the made-up adapter."""
    max_length: int = Field(1024, ge=16, le=131072, title="Longest row (tokens)")
    """Rows with more tokens are left out and named."""
    save_every_steps: int = Field(5, ge=1, le=10000, title="Checkpoint every … steps")
    """How often a checkpoint is written."""
    step_s: float = Field(0.01, ge=0, le=60, title="Seconds a step")
    """How long a step pretends to take."""
    behaviour: str = Field("succeed", max_length=64, title="Behaviour")
    """What it does, e.g. `succeed`, `fail_at:3`, `hang`; see the program."""


class Fake:
    """The stand-in, in the control plane's own Python."""

    name: ClassVar[str] = "fake"
    options: ClassVar[type[Options]] = FakeOptions

    def check(self, options: Options, machine: MachineFacts) -> list[Problem]:
        """It works everywhere."""
        del options, machine
        return []

    def plan(self, options: Options, machine: MachineFacts) -> Plan:
        """The options are the settings."""
        del machine
        settings = options.model_dump()
        return Plan("goldsmith.trainers.fake", None, settings, learns=LEARNS[settings["method"]])
