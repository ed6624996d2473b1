"""The `openai` backend: a provider that speaks OpenAI's fine-tuning API trains, OpenAI itself or another Goldsmith."""

from typing import Any, ClassVar

from pydantic import Field

from goldsmith.environments.machine import MachineFacts
from goldsmith.train.backends.base import Options, Plan, Problem


class OpenAiOptions(Options):
    """Settings of a training at a provider. What is left empty, the provider chooses."""

    num_epochs: int | None = Field(None, ge=1, le=50, title="Epochs")
    """How often every row is learned from. Left empty, the provider chooses. It usually asks a price for each."""
    batch_size: int | None = Field(None, ge=1, le=512, title="Rows at once")
    """Rows that make one step. Left empty, the provider chooses."""
    learning_rate_multiplier: float | None = Field(None, gt=0, le=100, title="Learning rate, times the usual")
    """1 is what the provider takes by itself. Left empty, it chooses."""
    seed: int | None = Field(None, ge=0, le=2**31 - 1, title="Seed")
    """The same seed may give the same model; no provider promises it."""
    suffix: str | None = Field(
        None, min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", title="Suffix"
    )
    """Stands in the model's name there. Left empty, it is made from the name of the new model."""

    def in_effect(self) -> dict[str, Any]:
        """What was chosen; the rest the provider chooses."""
        return self.model_dump(exclude_none=True)


class OpenAi:
    """A provider's own machines; here only a small program that sends, watches and stops."""

    name: ClassVar[str] = "openai"
    options: ClassVar[type[Options]] = OpenAiOptions

    def check(self, options: Options, machine: MachineFacts) -> list[Problem]:
        """Nothing on this machine speaks against it; what the provider refuses, it says itself."""
        del options, machine
        return []

    def plan(self, options: Options, machine: MachineFacts) -> Plan:
        """The options are the settings; to which provider they go is added when the training is prepared."""
        del machine
        return Plan("goldsmith.trainers.openai_watch", None, options.model_dump(), at_provider=True)
