"""What executing conquests takes and answers, and how it is waited for: at once, within ten seconds, or as a stream."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Header, Response
from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from sqlalchemy import orm
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from goldsmith.connect.executions import hearing, queries
from goldsmith.connect.executions import service as executions
from goldsmith.connect.executions.tables import ConquestExecution
from goldsmith.connect.executions.types import MAX_CANDIDATES, MAX_EXAMPLES, Order, ResultState
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.web.answers import ApiAnswer, ApiBody, Name, not_yet
from goldsmith.web.waiting import wait_for_job

PATH = "/api/conquests/executions"
LOOK_EVERY_S = 0.3
HEAR_EVERY_S = 0.05
BEAT_EVERY_S = 15.0


def _as_header(value: str | None) -> str | None:
    return value.strip() or None if value is not None else None


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", max_length=255, description="The same request with the same key is executed only once."
    ),
    AfterValidator(_as_header),
]


class ExecuteBody(ApiBody):
    """Which model is asked about whom, and against what."""

    model_config = ConfigDict(alias_generator=to_camel)

    eidos_id: Name
    """What the candidate is held against."""
    candidate_id: Name | None = None
    """Who is judged; or, for many at once, `candidateIds`."""
    candidate_ids: Annotated[list[Name], Field(min_length=1, max_length=MAX_CANDIDATES)] | None = None
    """Many candidates: answered with 202, and executed one after the other."""
    model_id: Name
    """A base model or a fine-tuned one, by id or name."""
    philosopher: Name | None = None
    """Whose eidos and whose examples, by e-mail. Where it is left out, the eidos says it."""
    domain: Name | None = None
    """Their organisation, by domain name. Where it is left out, the eidos says it."""
    conquest_type: Name | None = None
    """Left out: as the eidos says, else CANDIDATE."""
    num_examples: Annotated[int, Field(ge=0, le=MAX_EXAMPLES)] | None = None
    """How many good answers stand before the question. Left out: 3 for a base model; none for a fine-tuned one, which
    learned without them."""
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """How long an answer may be. Left out: 1,024 tokens, or half of what the model can hold at once."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    """0: the same question has the same answer, as far as engines can."""
    stream: bool = False
    """Answer at once with server-sent events: how it stands, of one candidate the text while it is written, and at the
    end the result."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if (self.candidate_id is None) == (self.candidate_ids is None):
            raise ValueError("send either candidateId or candidateIds")
        return self

    @property
    def order(self) -> Order:
        """As the service takes it."""
        ids = self.candidate_ids or [self.candidate_id or ""]
        said = self.model_dump(exclude={"candidate_id", "candidate_ids", "stream"})
        return Order(candidate_ids=tuple(ids), is_heard=self.stream, **said)


class ConquestResultAnswer(ApiAnswer):
    """What came of one candidate."""

    position: int
    candidate_id: str
    state: ResultState
    """`stored`: the answer stands in Aristotle, too."""
    conquest_id: str | None
    """The conquest in Aristotle, once it is stored there."""
    text: str
    prompt_tokens: int | None
    answer_tokens: int | None
    duration_ms: float | None
    finish_reason: str | None
    """`stop` is good; `length` means cut off."""
    error: str | None
    at: datetime | None


class ExecutionAnswer(ApiAnswer):
    """An execution: how it stands, and for one candidate what came of it."""

    id: str
    state: JobState
    stage: Literal["waiting", "loading", "running", "over"]
    """`waiting`: for its turn; `loading`: the model is being brought live; `running`: it is asked."""
    message: str
    eidos_id: str
    philosopher: str
    source_domain: str
    conquest_type: str
    model_id: str
    model_name: str
    was_live: bool
    """Whether the model answered when this was asked for; else it is brought live first."""
    num_examples: int
    """How many good answers were wanted before the question."""
    num_candidates: int
    num_answered: int
    num_stored: int
    """Answers that stand in Aristotle."""
    num_failed: int
    tokens: int
    """Of questions and answers, so far."""
    seconds: float
    """In which the model answered, so far."""
    result: ConquestResultAnswer | None
    """Of the only candidate, once there is one; of many: see `results`."""
    results: str
    """The address of the results."""
    notes: list[str]
    """What Aristotle's tables have no place for."""
    job_id: str
    created_at: datetime
    finished_at: datetime | None


class ExecutionsAnswer(ApiAnswer):
    """Executions, newest first."""

    executions: list[ExecutionAnswer]


class ConquestResultsAnswer(ApiAnswer):
    """What came of the candidates, in the order in which they were named; ask with `after` for more."""

    results: list[ConquestResultAnswer]
    after: int


def shown(session: orm.Session, execution: ConquestExecution) -> ExecutionAnswer:
    """An execution as it stands."""
    counts = queries.counts(session, [execution.id])[execution.id]
    tokens, seconds = queries.used(session, [execution.id]).get(execution.id, (0, 0.0))
    job = jobs.one(session, execution.job_id or "")
    stage, message = _standing(session, execution, job)
    first = queries.results(session, execution.id, limit=1) if execution.num_candidates == 1 else ()
    result = first[0] if first and first[0].state != ResultState.OPEN.value else None
    own = {name: getattr(execution, name) for name in ExecutionAnswer.model_fields if hasattr(execution, name)}
    return ExecutionAnswer(
        **own,
        stage=stage,
        message=message,
        num_answered=counts[ResultState.ANSWERED] + counts[ResultState.STORED],
        num_stored=counts[ResultState.STORED],
        num_failed=counts[ResultState.FAILED],
        tokens=tokens,
        seconds=seconds,
        result=ConquestResultAnswer.model_validate(result) if result is not None else None,
        results=f"{PATH}/{execution.id}/results",
    )


def answered(
    database: Database, execution: ConquestExecution, response: Response, *, is_waited_for: bool
) -> ExecutionAnswer:
    """How it stands now, or after ten seconds at most. Then what it failed with is raised."""
    if is_waited_for:
        wait_for_job(database, execution.job_id or "")
    with database.reading() as session:
        found = shown(session, queries.one(session, execution.id))
    if found.stage != "over":
        not_yet(response, f"{PATH}/{execution.id}")
    return found


def streamed(database: Database, home: Home, execution: ConquestExecution) -> StreamingResponse:
    """An event whenever it stands otherwise or text has come, the last one with the result; then it ends."""
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingResponse(_events(database, home, execution), media_type="text/event-stream", headers=headers)


async def _events(database: Database, home: Home, execution: ConquestExecution) -> AsyncIterator[bytes]:
    def look() -> tuple[ExecutionAnswer, dict[str, Any] | None]:
        with database.reading() as session:
            found = queries.one(session, execution.id)
            return shown(session, found), jobs.one(session, found.job_id or "").failure

    last, told_at, looked_at = None, time.monotonic(), -LOOK_EVERY_S
    path = hearing.path_in(JobFolder.of(home, execution.job_id or ""))
    with hearing.Heard(path) as heard:
        while last is None or last.stage != "over":
            found, failure = last, None
            if time.monotonic() - looked_at > LOOK_EVERY_S:
                looked_at = time.monotonic()
                found, failure = await run_in_threadpool(look)
            for piece in await run_in_threadpool(heard.more):
                told_at = time.monotonic()
                yield _event("text", piece)
            if found is not None and found != last:
                if found.result is not None and found.result.text and not heard.has_heard:
                    yield _event("text", {"delta": found.result.text, "is_first": True})  # it was quicker than we look
                last, told_at = found, time.monotonic()
                yield _event(*_said(found, failure))
            elif time.monotonic() - told_at > BEAT_EVERY_S:
                told_at = time.monotonic()
                yield b": still here\n\n"
            await asyncio.sleep(HEAR_EVERY_S)


def _said(found: ExecutionAnswer, failure: dict[str, Any] | None) -> tuple[str, dict[str, Any]]:
    kind = found.stage if found.stage != "over" else "done" if found.state is JobState.SUCCEEDED else "failed"
    return kind, found.model_dump(mode="json") | ({"failure": failure} if kind == "failed" else {})


def _event(kind: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def _standing(
    session: orm.Session, execution: ConquestExecution, job: Job
) -> tuple[Literal["waiting", "loading", "running", "over"], str]:
    state = JobState(job.state)
    if state.is_over:
        why = str((job.failure or {}).get("summary", job.because)) if state is JobState.FAILED else job.because
        return "over", "" if state is JobState.SUCCEEDED else why
    if executions.is_live(session, execution.model_id):
        return "running", job.message
    first = f"{execution.model_name} is not live; it is brought live first."
    if state is JobState.QUEUED and job.needs_slot:
        place = jobs.place_in_queue(session, job)
        return "waiting", f"{first} It waits for its turn; before it: {place - 1}."
    return "loading", f"{first} {job.message}".strip()
