"""Options that every backend has which trains an adapter (LoRA) in an environment of ours."""

from typing import Any, Literal

from pydantic import Field

from goldsmith.environments.machine import MachineFacts
from goldsmith.train.backends.base import Options, Problem

# What vLLM loads; another rank would be trained and then refused.
LoraRank = Literal[1, 8, 16, 32, 64, 128, 256]


class LoraOptions(Options):
    """Settings of a training of an adapter."""

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
    gradient_checkpointing: Literal["auto", "on", "off"] = Field("auto", title="Gradient checkpointing")
    """Layers are computed twice instead of being kept: far less memory, about a third slower. auto: on a GPU alone."""
    max_length: int = Field(1024, ge=16, le=131072, title="Longest row (tokens)")
    """Rows with more tokens are left out and named, because a row without its end would teach not to stop."""
    warmup_steps: int = Field(0, ge=0, le=10000, title="Warm-up steps")
    """Steps in which the learning rate rises from 0."""
    weight_decay: float = Field(0.0, ge=0, le=1, title="Weight decay")
    """Pulls the adapter towards 0."""
    save_every_steps: int = Field(20, ge=1, le=10000, title="Checkpoint every … steps")
    """After a stop or a death the training goes on from the last checkpoint."""
    evaluate_every_steps: int = Field(0, ge=0, le=10000, title="Score the exam every … steps")
    """Besides at the end of every round; 0: only then. Each score takes a little of the training's time."""
    patience: int = Field(0, ge=0, le=50, title="End early after … exam scores without progress")
    """Ends the training when so many in a row were no better than the best, and keeps the best checkpoint. 0: never."""
    seed: int = Field(0, ge=0, le=2**31 - 1, title="Seed")
    """The same seed gives the same order of rows."""


class QloraOptions(LoraOptions):
    """The same, with the choice to pack the base model."""

    load_in_4bit: bool = Field(False, title="Base model in 4 bit")
    """The base model takes a quarter of the memory while it is trained on (QLoRA). Needs an NVIDIA GPU."""


def problems_of_4bit(options: Options, machine: MachineFacts) -> list[Problem]:
    """4 bit is refused where no NVIDIA GPU is: what packs the weights runs on CUDA only."""
    if machine.device == "cuda" or not options.model_dump()["load_in_4bit"]:
        return []
    return [Problem("A base model in 4 bit needs an NVIDIA GPU, and this machine has none.", "Switch 4 bit off.")]


def settings_on(machine: MachineFacts, options: Options) -> dict[str, Any]:
    """The options, and what numbers are computed in: float32 on a CPU, where it is faster; bfloat16 on a GPU."""
    return {**options.model_dump(), "dtype": "float32" if machine.device == "cpu" else "bfloat16"}
