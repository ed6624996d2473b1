"""The API over kept traffic."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from goldsmith.serve.kept import queries, service
from goldsmith.serve.kept.types import ALL_HIDDEN, MAX_DAYS, Hidden, Keeping
from goldsmith.web.answers import ApiAnswer, ApiBody, Before, ForgottenAnswer, Limit, MadeAnswer, Name, Text, made
from goldsmith.web.dependencies import AfterSwitch, CurrentPerson, ReadSession, Session, TheHome, TheState

api = APIRouter(prefix="/v1/kept", tags=["kept traffic"])
OfAlias = Annotated[str | None, Query(max_length=64, description="Only requests by this alias.")]


class RuleBody(ApiBody):
    """What is kept of which requests."""

    alias: Annotated[Text, Field(max_length=64)] = ""
    """Empty: of all requests that have no rule of their own."""
    share: Annotated[float, Field(ge=0, le=1)]
    """From 0 (nothing) to 1 (all)."""
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 14
    hides: Annotated[tuple[Hidden, ...], Field(max_length=len(ALL_HIDDEN))] = ALL_HIDDEN
    """What is taken out of the texts before they are kept."""


class RuleAnswer(ApiAnswer):
    """A rule."""

    alias: str
    share: float
    days: int
    hides: list[Hidden]
    num_dropped: int
    changed_by: str
    changed_at: datetime


class RulesAnswer(ApiAnswer):
    """Every rule that was ever set."""

    rules: list[RuleAnswer]


class KeptAnswer(ApiAnswer):
    """A request that was kept, and its answer."""

    id: str
    asked_by: str
    alias: str
    model_id: str
    path: str
    instructions: str
    earlier: str
    question: str
    answer: str
    num_hidden: int
    answer_tokens: int | None
    duration_ms: float
    at: datetime


class KeptListAnswer(ApiAnswer):
    """Kept requests, newest first."""

    kept: list[KeptAnswer]


class DatasetBody(ApiBody):
    """A dataset of what was asked."""

    alias: Annotated[Text, Field(max_length=64)] | None = None
    name: Name | None = None


@api.get("/rules")
def rules(session: ReadSession, person: CurrentPerson) -> RulesAnswer:
    """What is kept."""
    found = queries.rules(session, domain=person.domain)
    return RulesAnswer(rules=[RuleAnswer.model_validate(each) for each in found])


@api.put("/rules")
def set_rule(state: TheState, person: CurrentPerson, after_switch: AfterSwitch, body: RuleBody) -> RuleAnswer:
    """From now on this is kept."""
    with state.database.transaction() as session:
        rule = service.keep(session, body.alias, Keeping(body.share, body.days, body.hides), by=person)
        answer = RuleAnswer.model_validate(rule)
    after_switch()
    return answer


@api.get("")
def kept(
    session: ReadSession, person: CurrentPerson, *, alias: OfAlias = None, before: Before = None, limit: Limit = 50
) -> KeptListAnswer:
    """What was kept, newest first."""
    found = queries.page(session, domain=person.domain, alias=alias, before=before, limit=limit)
    return KeptListAnswer(kept=[KeptAnswer.model_validate(each) for each in found])


@api.post("/dataset", status_code=201)
def make_dataset(
    session: Session, person: CurrentPerson, home: TheHome, body: DatasetBody, response: Response
) -> MadeAnswer:
    """A dataset of what was asked, the newest 10,000, each question once."""
    version = service.make_dataset(session, home, by=person, alias=body.alias, name=body.name or "")
    made(response, f"/v1/datasets/{version.dataset_id}")
    return MadeAnswer(dataset=version.dataset_id, version=version.id)


@api.delete("")
def forget(session: Session, person: CurrentPerson, alias: OfAlias = None) -> ForgottenAnswer:
    """Delete now what was kept. This cannot be undone."""
    return ForgottenAnswer(num_deleted=service.forget_all(session, alias=alias, by=person))
