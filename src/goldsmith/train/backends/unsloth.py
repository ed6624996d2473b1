"""The `unsloth` backend: SFT with LoRA on Unsloth, which is made for one NVIDIA GPU and trains on a CPU too."""

from typing import ClassVar

from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.train.backends.base import Options, Plan, Problem
from goldsmith.train.backends.lora import QloraOptions, problems_of_4bit, settings_on


class UnslothOptions(QloraOptions):
    """Settings of a training with Unsloth."""


class Unsloth:
    """Unsloth in an environment of its own."""

    name: ClassVar[str] = "unsloth"
    options: ClassVar[type[Options]] = UnslothOptions

    def check(self, options: Options, machine: MachineFacts) -> list[Problem]:
        """4 bit is refused where no NVIDIA GPU is."""
        return problems_of_4bit(options, machine)

    def plan(self, options: Options, machine: MachineFacts) -> Plan:
        """The program of Unsloth's own environment."""
        return Plan("goldsmith.trainers.unsloth_sft", EnvironmentName.UNSLOTH, settings_on(machine, options))
