"""What Aristotle asks of Goldsmith: good answers as examples, models for a conquest, and conquests that are executed.

Executing opens its own transactions: Aristotle is asked and the model is waited for while none is open.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field
from starlette.responses import StreamingResponse

from goldsmith.connect import service
from goldsmith.connect.executions import queries as execution_queries
from goldsmith.connect.executions import service as executions
from goldsmith.connect.types import Scope, Wish
from goldsmith.stars.types import SetFormat
from goldsmith.web.answers import After, ApiAnswer, ApiBody, Before, Id, Limit, Name
from goldsmith.web.available import AvailableModels, available
from goldsmith.web.connect.executing import (
    PATH,
    ConquestResultAnswer,
    ConquestResultsAnswer,
    ExecuteBody,
    ExecutionAnswer,
    ExecutionsAnswer,
    IdempotencyKey,
    answered,
    shown,
    streamed,
)
from goldsmith.web.connect.found import ARISTOTLE, aristotle, connected
from goldsmith.web.dependencies import CurrentPerson, ReadSession, TheSources, TheState
from goldsmith.web.described import under_way
from goldsmith.web.job_events import STREAM

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


@api.post("/api/conquests/execute", response_model=ExecutionAnswer, responses={**under_way(ExecutionAnswer), **STREAM})
def execute(
    state: TheState,
    person: CurrentPerson,
    sources: TheSources,
    body: ExecuteBody,
    response: Response,
    key: IdempotencyKey = None,
) -> ExecutionAnswer | StreamingResponse:
    """Ask a model about a candidate against an eidos, and keep the conquest in Aristotle; 202 when it takes longer.

    A model that is not live is brought live first. Of many candidates it is answered at once, with where to look.
    """
    begun = executions.execute(state.database, lambda: aristotle(sources), body.order, key=key, by=person)
    if body.stream:
        return streamed(state.database, state.home, begun)
    return answered(state.database, begun, response, is_waited_for=body.candidate_id is not None)


@api.get(PATH)
def list_executions(
    session: ReadSession, person: CurrentPerson, before: Before = None, limit: Limit = 50
) -> ExecutionsAnswer:
    """Conquests that were executed here, newest first."""
    found = execution_queries.page(session, domain=person.domain, before=before, limit=limit)
    return ExecutionsAnswer(executions=[shown(session, each) for each in found])


@api.get(PATH + "/{execution_id}")
def one_execution(session: ReadSession, person: CurrentPerson, execution_id: Id) -> ExecutionAnswer:
    """How an execution stands."""
    return shown(session, execution_queries.one(session, execution_id, domain=person.domain))


@api.get(PATH + "/{execution_id}/results")
def execution_results(
    session: ReadSession, person: CurrentPerson, execution_id: Id, after: After = 0, limit: Limit = 50
) -> ConquestResultsAnswer:
    """What came of the candidates of an execution, in the order in which they were named."""
    execution = execution_queries.one(session, execution_id, domain=person.domain)
    found = execution_queries.results(session, execution.id, after=after, limit=limit)
    results = [ConquestResultAnswer.model_validate(each) for each in found]
    return ConquestResultsAnswer(results=results, after=results[-1].position if results else after)
