"""The `trl` backend: LoRA on TRL and PEFT, from good answers, pairs or single marks, on a GPU or a CPU."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pydantic import Field, ValidationInfo, field_validator

from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.train.backends.base import Options, Plan, Problem
from goldsmith.train.backends.lora import QloraOptions, problems_of_4bit, settings_on
from goldsmith.train.backends.methods import FEWEST_AT_ONCE, LEARNS, Method

ONLY_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    "padding_free": ("sft",),
    "beta": ("dpo", "kto"),
    "good_answer_weight": ("dpo",),
    "bad_answers_weight": ("kto",),
}
"""Options that only some methods have."""
PROGRAMS: Final[Mapping[str, str]] = {
    "sft": "goldsmith.trainers.trl_sft",
    "dpo": "goldsmith.trainers.trl_dpo",
    "kto": "goldsmith.trainers.trl_kto",
}


class WithMethod(Options):
    """What a training learns from."""

    method: Method = Field("sft", title="Method")
    """sft learns from good answers. dpo learns from pairs, a good and a bad answer to one row, and leaves other rows
    out: best where answers were corrected. kto learns from single marks, starred or bad, and needs no pair: for many
    bad marks with no better answer beside them."""


class TrlOptions(QloraOptions, WithMethod):
    """Settings of a training with TRL. (Fields stand in the order of the bases, the last one first.)"""

    padding_free: bool = Field(False, title="Without padding (sft)")
    """The rows of a batch stand one behind the other instead of being filled up to the longest. The losses are the
    same. On a CPU it is slower; on a GPU it pays where rows differ much in length."""
    beta: float = Field(0.1, gt=0, le=10, title="Beta (dpo, kto)")
    """How strongly learning from pairs or single marks is held near the base model: more changes less."""
    good_answer_weight: float = Field(1.0, ge=0, le=100, title="Weight of the good answer (dpo)")
    """How much the good answer alone counts beside the pair. With 0 both answers may become unlikely."""
    bad_answers_weight: float = Field(1.0, gt=0, le=100, title="Weight of the bad answers (kto)")
    """How much all bad answers together count beside all good ones, however many there are of each. 1: as much."""

    def in_effect(self) -> dict[str, Any]:
        """Without what the method does not have."""
        return self.model_dump(exclude={name for name, methods in ONLY_FOR.items() if self.method not in methods})

    @field_validator(*ONLY_FOR)
    @classmethod
    def _refuse_what_has_no_effect(cls, value: float, info: ValidationInfo) -> float:
        name, method = info.field_name or "", info.data.get("method")
        is_default = value == cls.model_fields[name].default
        if method is not None and method not in ONLY_FOR[name] and not is_default:
            methods = " or ".join(ONLY_FOR[name])
            raise ValueError(f"this is for the method {methods}: choose it too, or leave this as it was")
        return value

    @field_validator("batch_size")
    @classmethod
    def _refuse_single_rows(cls, value: int, info: ValidationInfo) -> int:
        if info.data.get("method") == "kto" and value < FEWEST_AT_ONCE:
            raise ValueError("kto compares the rows of a batch with each other: choose at least two rows at once")
        return value


class Trl:
    """TRL and PEFT in an environment of their own."""

    name: ClassVar[str] = "trl"
    options: ClassVar[type[Options]] = TrlOptions

    def check(self, options: Options, machine: MachineFacts) -> list[Problem]:
        """What needs an NVIDIA GPU is refused without one; memory is measured, not guessed."""
        return problems_of_4bit(options, machine)

    def plan(self, options: Options, machine: MachineFacts) -> Plan:
        """Float32 on a CPU, where it is faster; bfloat16 on a GPU. Each method is a program of its own."""
        settings = settings_on(machine, options)
        method = settings["method"]
        return Plan(PROGRAMS[method], EnvironmentName.TRL, settings, LEARNS[method])
