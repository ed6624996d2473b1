"""The `trl` backend: SFT with LoRA on TRL and PEFT, on a GPU or a CPU."""

from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.train.backends.base import Options, Plan, Problem

# What vLLM loads; another rank would be trained and then refused.
LoraRank = Literal[1, 8, 16, 32, 64, 128, 256]
PAIRS_ONLY = ("beta", "good_answer_weight")
"""Options that only learning from pairs has."""


class TrlOptions(Options):
    """Settings of a training with TRL."""

    method: Literal["sft", "dpo"] = Field("sft", title="Method")
    """sft learns from good answers; dpo from pairs, a good and a bad answer to one row, and leaves other rows out."""
    num_epochs: int = Field(2, ge=1, le=50, title="Epochs")
    """How often every row is learned from. More learns more, and forgets more."""
    learning_rate: float = Field(5e-4, gt=0, le=0.1, title="Learning rate")
    """How far each step moves the adapter; it falls to 0 towards the end."""
    lora_rank: LoraRank = Field(8, title="LoRA rank")
    """Size of the adapter. On a CPU every answer gets slower with it: 8 is enough for most tasks."""
    lora_alpha: float = Field(16, gt=0, le=1024, title="LoRA alpha")
    """How strongly the adapter acts; usually twice the rank."""
    lora_dropout: float = Field(0.0, ge=0, lt=1, title="LoRA dropout")
    """Share of the adapter that is switched off at random while learning."""
    batch_size: int = Field(8, ge=1, le=512, title="Rows at once")
    """Rows that make one step. More needs more memory."""
    gradient_accumulation: int = Field(1, ge=1, le=512, title="Batches a step")
    """Batches that are added up before the adapter is moved; a larger step without more memory."""
    max_length: int = Field(1024, ge=16, le=131072, title="Longest row (tokens)")
    """Rows with more tokens are left out and named, because a row without its end would teach not to stop."""
    warmup_steps: int = Field(0, ge=0, le=10000, title="Warm-up steps")
    """Steps in which the learning rate rises from 0."""
    weight_decay: float = Field(0.0, ge=0, le=1, title="Weight decay")
    """Pulls the adapter towards 0."""
    beta: float = Field(0.1, gt=0, le=10, title="Beta (dpo)")
    """How strongly learning from pairs is held near the base model: more changes less."""
    good_answer_weight: float = Field(1.0, ge=0, le=100, title="Weight of the good answer (dpo)")
    """How much the good answer alone counts beside the pair. With 0 both answers may become unlikely."""
    save_every_steps: int = Field(20, ge=1, le=10000, title="Checkpoint every … steps")
    """After a stop or a death the training goes on from the last checkpoint."""
    evaluate_every_steps: int = Field(0, ge=0, le=10000, title="Score the exam every … steps")
    """Besides at the end of every round; 0: only then. Each score takes a little of the training's time."""
    patience: int = Field(0, ge=0, le=50, title="End early after … exam scores without progress")
    """Ends the training when so many in a row were no better than the best, and keeps the best checkpoint. 0: never."""
    seed: int = Field(0, ge=0, le=2**31 - 1, title="Seed")
    """The same seed gives the same order of rows."""

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
        settings: dict[str, Any] = options.model_dump()
        settings["dtype"] = "float32" if machine.device == "cpu" else "bfloat16"
        needs_pairs = settings["method"] == "dpo"
        program = "goldsmith.trainers.trl_dpo" if needs_pairs else "goldsmith.trainers.trl_sft"
        return Plan(program, EnvironmentName.TRL, settings, needs_pairs)
