"""What Aristotle asks of Goldsmith: good answers as examples for a prompt, and models that a conquest may run on."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from goldsmith.connect import service
from goldsmith.connect.types import Scope, Wish
from goldsmith.stars.types import SetFormat
from goldsmith.web.answers import ApiAnswer, ApiBody, Name
from goldsmith.web.connect.available import AvailableModels, available
from goldsmith.web.connect.found import ARISTOTLE, connected
from goldsmith.web.dependencies import CurrentPerson, ReadSession, TheSources

api = APIRouter(tags=["sources"])


class IclQuery(ApiBody):
    """Whose stars, which and how many."""

    philosopher: Name
    """Whose gold stars, by e-mail."""
    domain: Name
    """Their organisation, by domain name."""
    conquest_type: Name | None = None
    """Only conquests of this type."""
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    """How many at most, the newest first."""
    format: SetFormat = SetFormat.chatml
    """How each is written."""

    @property
    def wish(self) -> Wish:
        """As a source takes it."""
        return Wish(Scope(self.philosopher, self.domain), self.conquest_type, self.limit)


class IclExamplesAnswer(ApiAnswer):
    """Good answers, each as a chat or an instruction in the format that was asked for."""

    count: int
    format: SetFormat
    examples: list[dict[str, Any]]


@api.get("/v1/icl/examples")
def examples(
    session: ReadSession, person: CurrentPerson, sources: TheSources, query: Annotated[IclQuery, Query()]
) -> IclExamplesAnswer:
    """Gold conquests of Aristotle's as examples for a prompt, the newest first."""
    found = service.examples(session, connected(sources, ARISTOTLE), query.wish, query.format, by=person)
    return IclExamplesAnswer(count=len(found), format=query.format, examples=[dict(each) for each in found])


@api.get("/api/models/available")
def models_available(session: ReadSession, person: CurrentPerson) -> AvailableModels:
    """The models that a conquest may be run on, for an application that lets people choose one."""
    return available(session, person)
