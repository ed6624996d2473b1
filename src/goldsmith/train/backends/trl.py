"""The `trl` backend: SFT with LoRA on TRL and PEFT, on a GPU or a CPU."""

from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.train.backends.base import Options, Plan, Problem
from goldsmith.train.backends.lora import LoraOptions, settings_on

PAIRS_ONLY = ("beta", "good_answer_weight")
"""Options that only learning from pairs has."""


class Method(Options):
    """What a training learns from."""

    method: Literal["sft", "dpo"] = Field("sft", title="Method")
    """sft learns from good answers; dpo from pairs, a good and a bad answer to one row, and leaves other rows out."""


class TrlOptions(LoraOptions, Method):
    """Settings of a training with TRL. (Fields stand in the order of the bases, the last one first.)"""

    beta: float = Field(0.1, gt=0, le=10, title="Beta (dpo)")
    """How strongly learning from pairs is held near the base model: more changes less."""
    good_answer_weight: float = Field(1.0, ge=0, le=100, title="Weight of the good answer (dpo)")
    """How much the good answer alone counts beside the pair. With 0 both answers may become unlikely."""

    def in_effect(self) -> dict[str, Any]:
        """Without what only pairs have, where there are none."""
        return self.model_dump(exclude=set(PAIRS_ONLY) if self.method == "sft" else None)

    @field_validator(*PAIRS_ONLY)
    @classmethod
    def _refuse_what_has_no_effect(cls, value: float, info: ValidationInfo) -> float:
        is_default = value == cls.model_fields[info.field_name or ""].default
        if info.data.get("method") == "sft" and not is_default:
            raise ValueError("this is for pairs: choose the method dpo too, or leave it as it was")
        return value


class Trl:
    """TRL and PEFT in an environment of their own."""

    name: ClassVar[str] = "trl"
    options: ClassVar[type[Options]] = TrlOptions

    def check(self, options: Options, machine: MachineFacts) -> list[Problem]:
        """Nothing is known to speak against it; memory is measured, not guessed."""
        del options, machine
        return []

    def plan(self, options: Options, machine: MachineFacts) -> Plan:
        """Float32 on a CPU, where it is faster; bfloat16 on a GPU. Each method is a program of its own."""
        settings = settings_on(machine, options)
        needs_pairs = settings["method"] == "dpo"
        program = "goldsmith.trainers.trl_dpo" if needs_pairs else "goldsmith.trainers.trl_sft"
        return Plan(program, EnvironmentName.TRL, settings, needs_pairs)
