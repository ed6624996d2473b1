"""The bodies and answers of what other applications' servers and pages ask for."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from goldsmith.connect.embedding.types import FEWEST_MINUTES, MOST_MINUTES, USUAL_MINUTES, Permission
from goldsmith.connect.types import Scope
from goldsmith.jobs.states import JobState
from goldsmith.serve.types import Proof
from goldsmith.train.dial import Dial
from goldsmith.train.recipe import TrainRequest
from goldsmith.web.answers import ApiAnswer, ApiBody, Name, Text
from goldsmith.web.available import BaseModelChoice, TunedModelChoice


class TokenBody(ApiBody):
    """For whom a page shall ask, and what it may do."""

    philosopher: Name
    """The person who is signed in to the application, by e-mail."""
    domain: Name
    """Their organisation, by domain name."""
    may: list[Permission] = Field(default_factory=list)
    """What the page may do beside looking; default: nothing."""
    minutes: Annotated[int, Field(ge=FEWEST_MINUTES, le=MOST_MINUTES)] = USUAL_MINUTES
    """How long the token is good."""

    @property
    def scope(self) -> Scope:
        """As a source takes it."""
        return Scope(self.philosopher, self.domain)


class TokenAnswer(ApiAnswer):
    """A token. It is shown this once, and kept nowhere here."""

    token: str
    philosopher: str
    domain: str
    may: list[Permission]
    expires_at: datetime


class StarsAnswer(ApiAnswer):
    """The gold stars of which a training set would be made."""

    source: str
    """Where they live: `Aristotle` or `Goldsmith`."""
    count: int
    num_left_out: int
    """Stars that cannot be used."""
    reason: str
    """Where there is none, the nearest reason."""
    asks_system_text: bool
    """Whether the system message has to be said with the export: some answers were kept without it."""


class ExportBody(ApiBody):
    """How the training set is made."""

    name: Name | None = None
    system_message: Text | None = None
    """What the answers were asked with, where that was not kept. It is remembered."""


class PartSet(ApiAnswer):
    """A training set."""

    id: str
    name: str
    num_learn: int
    num_exam: int
    created_at: datetime


class TrainingBody(ApiBody):
    """What is trained on what, and how thoroughly."""

    training_set: Name
    base_model: Name
    dial: Dial = Dial.balanced
    name: Text | None = None
    """What the tuned model is called."""

    def request(self, backend: str) -> TrainRequest:
        """As the step takes it."""
        return TrainRequest(self.base_model, backend, self.training_set, self.name or None, dial=self.dial)


class Trouble(ApiAnswer):
    """What went wrong, and what to do."""

    summary: str
    hint: str


class PartTraining(ApiAnswer):
    """A training, as its meter shows it. What was not measured is null."""

    id: str
    name: str
    state: JobState
    stop_requested: str | None
    training_set_id: str | None
    base_model: str
    progress: float
    """From 0 to 1."""
    current_step: int | None
    total_steps: int | None
    training_loss: float | None
    validation_loss: float | None
    seconds_left: float | None
    output_model_id: str | None
    trouble: Trouble | None
    created_at: datetime


class ModelBody(ApiBody):
    """Which fine-tuned model, by its id."""

    model_id: Name


class PartDeployment(ApiAnswer):
    """A fine-tuned model that is, or should be, on an engine."""

    model_id: str
    is_live: bool
    """Whether it answers now."""
    proof: Proof
    """Whether it was shown that it has learned what it was taught."""
    has_failed: bool
    """Whether it will not become live by waiting."""
    names: list[str]
    """The stable names under which callers get it; while there is one, it is not taken off its engine."""


class PartComparison(ApiAnswer):
    """A fine-tuned model beside its base, on rows that it never saw."""

    id: str
    model_id: str
    state: JobState
    progress: float
    test_count: int
    fine_tuned_wins: int | None
    base_model_wins: int | None
    ties: int | None
    win_rate: float | None
    """(wins + ties / 2) / all."""
    kind: str | None
    """What the rows say: `better`, `worse`, `not_known`, `no_need` or `too_few`; null before the end."""
    sentence: str
    """The verdict; empty before the end."""
    trouble: Trouble | None
    created_at: datetime


class NowAnswer(ApiAnswer):
    """Everything that the parts of one page show, in one answer."""

    philosopher: str
    domain: str
    may: list[Permission]
    seconds_left: float
    """How long the token is good from now on."""
    training_sets: list[PartSet]
    models: list[TunedModelChoice | BaseModelChoice]
    """As `GET /api/models/available` lists them: fine-tuned models first, the newest of each kind first."""
    trainings: list[PartTraining]
    deployments: list[PartDeployment]
    comparisons: list[PartComparison]
