"""The `axolotl` backend: SFT with LoRA on Axolotl, from a recipe of its own that stays in the job's folder."""

from typing import ClassVar

from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.train.backends.base import Options, Plan, Problem
from goldsmith.train.backends.lora import QloraOptions, problems_of_4bit, settings_on


class AxolotlOptions(QloraOptions):
    """Settings of a training with Axolotl."""


class Axolotl:
    """Axolotl in an environment of its own."""

    name: ClassVar[str] = "axolotl"
    options: ClassVar[type[Options]] = AxolotlOptions

    def check(self, options: Options, machine: MachineFacts) -> list[Problem]:
        """4 bit is refused where no NVIDIA GPU is."""
        return problems_of_4bit(options, machine)

    def plan(self, options: Options, machine: MachineFacts) -> Plan:
        """The program of Axolotl's own environment."""
        return Plan("goldsmith.trainers.axolotl_sft", EnvironmentName.AXOLOTL, settings_on(machine, options))
