"""What a training backend is: a model of its options, a check, and a plan. Light imports only."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName
from goldsmith.models.types import Learns


class Options(BaseModel):
    """What a person may choose. The docstring under a field is its help; one class makes form, check and job.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)

    def in_effect(self) -> dict[str, Any]:
        """What the training really uses: an option that means nothing beside another one is left out."""
        return self.model_dump()


@dataclass(frozen=True)
class TrainingFacts:
    """What is known before a training starts: sizes of the training set once rendered for the base model."""

    num_learn_rows: int
    num_exam_rows: int
    base_folder: Path
    base_size_bytes: int


@dataclass(frozen=True)
class Problem:
    """Why something cannot work here, in a sentence, and what to do about it."""

    summary: str
    hint: str


@dataclass(frozen=True)
class Plan:
    """What to run: a program of `goldsmith.trainers`, in an environment (None: the control plane's own Python)."""

    program: str
    environment: EnvironmentName | None
    settings: dict[str, Any]
    """The options, resolved, as they stand in job.json."""
    learns: Learns = Learns.answers
    """What it learns from a row: its good answer, a pair of a good and a bad one, or each of its marks by itself."""
    at_provider: bool = False
    """Whether a provider's model learns, there: the rows leave this machine as they are, and the model stays there."""


class Backend(Protocol):
    """One way to train. No inheritance: whatever has these four is one."""

    name: ClassVar[str]
    options: ClassVar[type[Options]]

    def check(self, options: Options, machine: MachineFacts) -> list[Problem]:
        """What speaks against it on this machine. Pure."""
        ...

    def plan(self, options: Options, machine: MachineFacts) -> Plan:
        """What to run. Pure."""
        ...
