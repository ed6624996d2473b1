"""The `unsloth` backend: SFT with LoRA on Unsloth, which is made for one NVIDIA GPU and trains on a CPU too."""

from typing import Any, ClassVar

from pydantic import Field

from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.train.backends.base import Options, Plan, Problem
from goldsmith.train.backends.lora import LoraOptions


class UnslothOptions(LoraOptions):
    """Settings of a training with Unsloth."""

    load_in_4bit: bool = Field(False, title="Base model in 4 bit")
    """The base model takes a quarter of the memory while it is trained on (QLoRA). Needs an NVIDIA GPU."""


class Unsloth:
    """Unsloth in an environment of its own."""

    name: ClassVar[str] = "unsloth"
    options: ClassVar[type[Options]] = UnslothOptions

    def check(self, options: Options, machine: MachineFacts) -> list[Problem]:
        """4 bit is refused where no NVIDIA GPU is: what packs the weights runs on CUDA only."""
        if machine.device == "cuda" or not options.model_dump()["load_in_4bit"]:
            return []
        return [Problem("A base model in 4 bit needs an NVIDIA GPU, and this machine has none.", "Switch 4 bit off.")]

    def plan(self, options: Options, machine: MachineFacts) -> Plan:
        """Float32 on a CPU, where it is faster; bfloat16 on a GPU."""
        settings: dict[str, Any] = options.model_dump()
        settings["dtype"] = "float32" if machine.device == "cpu" else "bfloat16"
        return Plan("goldsmith.trainers.unsloth_sft", EnvironmentName.UNSLOTH, settings)
