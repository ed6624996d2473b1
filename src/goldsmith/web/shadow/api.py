"""The API over shadows."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from goldsmith.serve.kept.types import ALL_HIDDEN, MAX_DAYS, Hidden
from goldsmith.serve.shadow import queries, service
from goldsmith.serve.shadow.types import MAX_AT_ONCE, MAX_WITHIN_S, Shadow
from goldsmith.web.answers import ApiAnswer, ApiBody, Before, ForgottenAnswer, Id, Limit, MadeAnswer, Name, made
from goldsmith.web.dependencies import AfterSwitch, CurrentPerson, ReadSession, Session, TheHome, TheState

api = APIRouter(prefix="/v1/shadows", tags=["shadows"])


class ShadowBody(ApiBody):
    """Which model answers along, and how much it may take."""

    model: Name
    """A deployed model's id or name."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.05
    max_at_once: Annotated[int, Field(ge=1, le=MAX_AT_ONCE)] = 2
    within_s: Annotated[float, Field(ge=1, le=MAX_WITHIN_S)] = 60.0
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 14
    hides: Annotated[tuple[Hidden, ...], Field(max_length=len(ALL_HIDDEN))] = ALL_HIDDEN

    @property
    def shadow(self) -> Shadow:
        """As the service takes it."""
        return Shadow(self.model, self.share, self.max_at_once, self.within_s, self.days, self.hides)


class ShadowAnswer(ApiAnswer):
    """A shadow; `share` 0: it was stopped."""

    alias: str
    model_id: str
    share: float
    max_at_once: int
    within_s: float
    days: int
    hides: list[Hidden]
    num_dropped: int
    changed_by: str
    changed_at: datetime


class ShadowsAnswer(ApiAnswer):
    """Every shadow that there is or was."""

    shadows: list[ShadowAnswer]


class SideAnswer(ApiAnswer):
    """What was measured of one side."""

    num_answered: int
    num_errors: int
    num_with_schema: int
    num_invalid_json: int
    median_ms: float | None
    mean_characters: float | None


class MeasuresAnswer(ApiAnswer):
    """Both sides over the same requests."""

    num_pairs: int
    num_same: int
    num_different: int
    sent: SideAnswer
    shadow: SideAnswer


class PairAnswer(ApiAnswer):
    """A request with both answers."""

    id: str
    asked_by: str
    sent_model_id: str
    shadow_model_id: str
    instructions: str
    earlier: str
    question: str
    sent_answer: str
    shadow_answer: str
    shadow_error: str
    is_same: bool
    sent_ms: float
    shadow_ms: float | None
    at: datetime


class PairsAnswer(ApiAnswer):
    """Pairs, newest first, and what was measured of all of them."""

    measures: MeasuresAnswer
    pairs: list[PairAnswer]


class NamedBody(ApiBody):
    """What the dataset is called."""

    name: Name | None = None


@api.get("")
def list_shadows(session: ReadSession, person: CurrentPerson) -> ShadowsAnswer:
    """Every shadow."""
    found = queries.rules(session, domain=person.domain)
    return ShadowsAnswer(shadows=[ShadowAnswer.model_validate(each) for each in found])


@api.put("/{alias}")
def answer_along(
    state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: Id, body: ShadowBody
) -> ShadowAnswer:
    """From now on a model answers a copy of the alias's requests; nobody is sent what it says."""
    with state.database.transaction() as session:
        answer = ShadowAnswer.model_validate(service.answer_along(session, alias, body.shadow, by=person))
    after_switch()
    return answer


@api.delete("/{alias}")
def stop(state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: Id) -> ShadowAnswer:
    """It answers along no more."""
    with state.database.transaction() as session:
        answer = ShadowAnswer.model_validate(service.stop(session, alias, by=person))
    after_switch()
    return answer


@api.get("/{alias}/pairs")
def pairs(
    session: ReadSession, person: CurrentPerson, alias: Id, before: Before = None, limit: Limit = 50
) -> PairsAnswer:
    """Pairs, newest first."""
    rule = queries.one(session, alias, domain=person.domain)
    found = queries.page(session, alias, domain=person.domain, before=before, limit=limit)
    measured = MeasuresAnswer.model_validate(queries.measures(session, rule))
    return PairsAnswer(measures=measured, pairs=[PairAnswer.model_validate(each) for each in found])


@api.post("/{alias}/dataset", status_code=201)
def make_dataset(
    session: Session, person: CurrentPerson, home: TheHome, alias: Id, body: NamedBody, response: Response
) -> MadeAnswer:
    """A dataset of what was asked, with both answers."""
    version = service.make_dataset(session, home, alias, by=person, name=body.name or "")
    made(response, f"/v1/datasets/{version.dataset_id}")
    return MadeAnswer(dataset=version.dataset_id, version=version.id)


@api.delete("/{alias}/pairs")
def forget(session: Session, person: CurrentPerson, alias: Id) -> ForgottenAnswer:
    """Delete the pairs now. This cannot be undone."""
    return ForgottenAnswer(num_deleted=service.forget_all(session, alias, by=person))
