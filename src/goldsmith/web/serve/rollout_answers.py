"""The bodies and answers of the API over traffic and roll-outs."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field
from sqlalchemy import orm

from goldsmith.serve import queries, rollouts, traffic
from goldsmith.serve.counts import Counts
from goldsmith.serve.tables import Rollout
from goldsmith.serve.types import RolloutState
from goldsmith.serve.watching import MAX_STAGES, Limits, RolloutPlan
from goldsmith.storage import clock
from goldsmith.web.answers import ApiAnswer, ApiBody, Name, Text

MAX_MINUTES = 60 * 24 * 30
Step = Annotated[float, Field(gt=0, le=1)]
Steps = Annotated[tuple[Step, ...], Field(min_length=1, max_length=MAX_STAGES)]


class RolloutBody(ApiBody):
    """A model that shall get a growing share of an alias."""

    model_id: Name
    """The id or the name of a model that is deployed and proved."""
    stages: Steps = (0.05, 0.25, 1.0)
    """Its shares, one after the other, each larger than the one before."""
    hold_minutes: Annotated[float, Field(gt=0, le=MAX_MINUTES)] | None = None
    """How long each share is held before it goes on by itself; null: it goes on when told to."""
    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    """Requests that both the old and the new model must have before anything is concluded."""
    max_more_errors: Annotated[float, Field(ge=0, le=1)] = 0.02
    """How much larger the share of errors may be."""
    max_more_invalid_json: Annotated[float, Field(ge=0, le=1)] = 0.02
    """How much larger the share of invalid JSON may be, among requests that ask for JSON."""
    max_times_slower: Annotated[float, Field(ge=1, le=1000)] = 1.5
    max_times_longer: Annotated[float, Field(ge=1, le=1000)] = 2.0
    """How many times longer, or shorter, answers may be."""

    @property
    def plan(self) -> RolloutPlan:
        """As the service takes it."""
        limits = Limits(**{name: getattr(self, name) for name in Limits.__dataclass_fields__})
        return RolloutPlan(self.stages, 60 * self.hold_minutes if self.hold_minutes is not None else None, limits)


class WhyBody(ApiBody):
    """Why something is done."""

    why: Annotated[Text, Field(max_length=1000)] = ""
    """Written down in the history."""


class CountsAnswer(ApiAnswer):
    """What was counted about a model's answers."""

    num_requests: int
    num_errors: int
    num_with_schema: int
    """Answers to requests that asked for JSON."""
    num_invalid_json: int
    mean_seconds: float | None
    """How long a good answer took."""
    mean_tokens: float | None
    """How long a good answer was."""


class ModelTrafficAnswer(CountsAnswer):
    """What was counted about one model."""

    model_id: str
    name: str


class TrafficAnswer(ApiAnswer):
    """What was counted about the models behind an alias, since a moment."""

    alias: str
    since: datetime
    models: list[ModelTrafficAnswer]


class RolloutAnswer(ApiAnswer):
    """A new model that gets a growing share of an alias, watched."""

    id: str
    alias: str
    model_id: str
    stages: list[float]
    stage: int
    """Which of the stages it is at, from 0."""
    hold_s: float | None
    state: RolloutState
    message: str
    """What was found last, or why it ended; with numbers."""
    created_at: datetime
    stage_at: datetime
    ended_at: datetime | None
    old: CountsAnswer
    """Counted since it began: the models that were there before, together."""
    new: CountsAnswer


class RolloutsAnswer(ApiAnswer):
    """Roll-outs of an alias, newest first."""

    rollouts: list[RolloutAnswer]


def rollout_answer(session: orm.Session, row: Rollout) -> RolloutAnswer:
    """A roll-out with its counts."""
    old, new = rollouts.counts_of(session, row)
    own = {name: getattr(row, name) for name in RolloutAnswer.model_fields if name not in ("old", "new")}
    return RolloutAnswer(**own, old=counts_answer(old), new=counts_answer(new))


def traffic_answer(session: orm.Session, alias: str, minutes: int, *, domain: str) -> TrafficAnswer:
    """What was counted lately."""
    since = clock.now() - timedelta(minutes=minutes)
    names = queries.model_names(session)
    found = traffic.by_model(session, domain=domain, alias=alias, since=since)
    models = [
        ModelTrafficAnswer(model_id=each, name=names.get(each, each), **counts_answer(counts).model_dump())
        for each, counts in found.items()
    ]
    return TrafficAnswer(alias=alias, since=since, models=models)


def counts_answer(counts: Counts) -> CountsAnswer:
    """Sums as they are told."""
    return CountsAnswer.model_validate(counts)
