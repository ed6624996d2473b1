"""The work of an execution: have the model live, ask it about every open candidate, keep what it says with the others.

An answer is kept here first and there next, so that after any death nobody is asked twice and nothing is written twice.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.connect import queries as sources
from goldsmith.connect.aristotle import asking
from goldsmith.connect.conquests import Conquest, ConquestPlace, Question, Subject, Subjects
from goldsmith.connect.errors import SourceNotConnected
from goldsmith.connect.executions import hearing, queries
from goldsmith.connect.executions.answers import answer_data
from goldsmith.connect.executions.service import IS_HEARD, KIND
from goldsmith.connect.executions.tables import ConquestExecution, ConquestResult
from goldsmith.connect.executions.types import MAX_EXAMPLES, ResultState
from goldsmith.connect.types import Scope, SourceItem, Wish
from goldsmith.errors import GoldsmithError
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import Stage
from goldsmith.models import queries as models
from goldsmith.models.tables import BaseModel
from goldsmith.run.engine_reply import RowLetters
from goldsmith.run.streaming import StreamedLetters
from goldsmith.run.types import AnswerRequest, AnswerState, Endpoint, SendLimits, SentAnswer
from goldsmith.run.waiting import ENGINE_START_S, ask_through_losses
from goldsmith.serve.types import Target
from goldsmith.storage import clock
from goldsmith.storage.patience import until_it_answers

LIMITS = SendLimits(concurrency=16, timeout_s=300.0)
NUM_LOOKED_AT = 100
"""Good answers among which the best ones are looked for."""
CHARACTERS_A_TOKEN = 3
"""Of a prompt, at least; so that examples never crowd the question out of the model's context."""
log = logging.getLogger(__name__)


@dataclass
class _Work:
    """An execution while its worker is at it."""

    execution: ConquestExecution
    place: ConquestPlace
    chosen: str | None
    """The system message where the eidos has none."""
    max_characters: int
    num_done: int
    items: Sequence[SourceItem] = ()

    @property
    def scope(self) -> Scope:
        """Whose it is."""
        return Scope(self.execution.philosopher, self.execution.source_domain)


class ConquestKind(LightKind):
    """Executes conquests."""

    name: ClassVar[str] = KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("execute"),)

    def __init__(
        self,
        make_place: Callable[[], ConquestPlace | None],
        *,
        limits: SendLimits = LIMITS,
        engine_start_s: float = ENGINE_START_S,
    ) -> None:
        self._make_place = make_place
        self._limits = limits
        self._engine_start_s = engine_start_s

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Ask what is open, and store what was answered. Raises JobFailed, and what the place raises."""
        del stage
        place = self._make_place()
        if place is None:
            raise SourceNotConnected("The settings do not say any more where conquests live.")
        with context.database.reading() as session:
            work = _open(session, context, place)
            num_open = queries.counts(session, [work.execution.id])[work.execution.id][ResultState.OPEN]
        if num_open:
            if work.execution.num_examples:
                work.items = place.fetch(Wish(work.scope, work.execution.conquest_type, NUM_LOOKED_AT)).items
            try:
                ask_through_losses(
                    context,
                    work.execution.model_id,
                    lambda targets: self._ask(context, work, targets),
                    num_done=lambda: work.num_done,
                    timeout_s=self._engine_start_s,
                )
            finally:
                hearing.path_in(context.folder).unlink(missing_ok=True)
        _store_all(context, work)
        return _end(context, work)

    def mirror(self, session: Session, job: Job) -> None:
        """Keep the job's state in the execution's own row."""
        execution = session.get(ConquestExecution, job.subject_id)
        if execution is not None:
            execution.state, execution.finished_at = job.state, job.finished_at
            if job.state == JobState.QUEUED.value and job.attempt > 1:
                _open_again(session, execution)

    def _ask(self, context: WorkContext, work: _Work, targets: Sequence[Target]) -> None:
        from goldsmith.run import lanes  # it loads aiohttp, which only the worker needs

        on_their_way: dict[str, dict[str, Any]] = {}

        def keep(answers: list[SentAnswer]) -> None:
            until_it_answers(lambda: _write(context, answers, on_their_way))
            work.num_done += len(answers)
            words = f"{work.num_done:,} of {work.execution.num_candidates:,} answered"
            until_it_answers(lambda: context.report(work.num_done / work.execution.num_candidates, words))
            try:
                _store_all(context, work)
            except GoldsmithError as error:
                log.warning("An answer is kept here and not there yet: %s", error.message)  # tried again at the end

        lanes.ask(
            targets,
            lanes.Source(
                _requests(context, work, on_their_way), write=lambda request, _: request, letters=_letters(context)
            ),
            home=context.home,
            limits=self._limits,
            on_answers=keep,
            should_stop=context.should_stop,
        )


def _letters(context: WorkContext) -> Callable[[Endpoint], RowLetters]:
    if not context.job.params.get(IS_HEARD):
        return RowLetters
    context.folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    tell = partial(hearing.tell, hearing.path_in(context.folder))
    return lambda endpoint: StreamedLetters(endpoint, tell)


def _open(session: Session, context: WorkContext, place: ConquestPlace) -> _Work:
    execution = queries.one(session, context.job.subject_id or "", domain=context.job.domain)
    scope = Scope(execution.philosopher, execution.source_domain)
    kept = sources.scope_row(session, place.name, scope, domain=execution.domain)
    model = models.any_model(session, execution.model_id, domain=execution.domain)
    base = model if isinstance(model, BaseModel) else session.get_one(BaseModel, model.base_model_id)
    counts = queries.counts(session, [execution.id])[execution.id]
    return _Work(
        execution=execution,
        place=place,
        chosen=kept.system_text if kept is not None else None,
        max_characters=max(0, base.context_length - execution.max_tokens) * CHARACTERS_A_TOKEN,
        num_done=execution.num_candidates - counts[ResultState.OPEN],
    )


def _open_again(session: Session, execution: ConquestExecution) -> None:
    """Where nobody was answered, everybody is asked again."""
    counts = queries.counts(session, [execution.id])[execution.id]
    if counts[ResultState.FAILED] == execution.num_candidates:
        for result in queries.results(session, execution.id, limit=execution.num_candidates):
            result.state, result.error = ResultState.OPEN.value, None


def _requests(context: WorkContext, work: _Work, on_their_way: dict[str, dict[str, Any]]) -> Iterator[AnswerRequest]:
    after = 0

    def read() -> Sequence[ConquestResult]:
        with context.database.reading() as session:
            return queries.results(session, work.execution.id, after=after, state=ResultState.OPEN)

    while results := until_it_answers(read):
        found = work.place.subjects(work.scope, work.execution.eidos_id, [each.candidate_id for each in results])
        for result in results:
            yield _request(work, result, found, on_their_way)
        after = results[-1].position


def _request(
    work: _Work, result: ConquestResult, found: Subjects, on_their_way: dict[str, dict[str, Any]]
) -> AnswerRequest:
    messages: list[dict[str, str]] = []
    problem = None
    candidate = found.candidates.get(result.candidate_id)
    try:
        if found.eidos is None or candidate is None:
            what = f"candidate {result.candidate_id}" if candidate is None else f"eidos {work.execution.eidos_id}"
            problem = f"The {what} is not there any more."
        else:
            question = asking.asked(found.eidos, candidate, chosen=work.chosen)
            messages, on_their_way[result.id] = _chat(work, question, candidate)
    except GoldsmithError as error:
        problem = error.message
    return AnswerRequest(
        row_id=result.id,
        position=result.position,
        messages=messages,
        max_tokens=work.execution.max_tokens,
        temperature=work.execution.temperature,
        problem=problem,
    )


def _chat(work: _Work, question: Question, candidate: Subject) -> tuple[list[dict[str, str]], dict[str, Any]]:
    best = asking.best_of(work.items, min(work.execution.num_examples, MAX_EXAMPLES), without=candidate.external_id)
    messages, example_ids = asking.with_examples(question, best, max_characters=work.max_characters)
    asked = {
        "prompt": question.text,
        "system": question.system_text,
        "examples": example_ids,
        "subject": candidate.external_id,
        "title": question.title,
    }
    return messages, asked


def _write(context: WorkContext, answers: Sequence[SentAnswer], on_their_way: Mapping[str, dict[str, Any]]) -> None:
    with context.transaction() as session:
        for answer in answers:
            result = session.get_one(ConquestResult, answer.row_id)
            if result.state != ResultState.OPEN.value:
                continue  # it was answered before the engine was lost
            is_answered = answer.state is AnswerState.ANSWERED
            result.state = (ResultState.ANSWERED if is_answered else ResultState.FAILED).value
            result.asked = on_their_way.get(answer.row_id)
            result.text, result.error, result.at = answer.text, answer.error, answer.at
            result.prompt_tokens, result.answer_tokens = answer.prompt_tokens, answer.answer_tokens
            result.duration_ms, result.finish_reason = answer.duration_ms, answer.finish_reason


def _store_all(context: WorkContext, work: _Work) -> None:
    """Write into the source what is not there yet. Raises what the place raises."""

    def read() -> Sequence[ConquestResult]:
        with context.database.reading() as session:
            return queries.results(session, work.execution.id, state=ResultState.ANSWERED)

    while results := until_it_answers(read):
        for result in results:
            conquest_id = work.place.store(_conquest(work.execution, result))
            until_it_answers(lambda id_=result.id, stored=conquest_id: _note(context, id_, stored))  # type: ignore[misc]


def _note(context: WorkContext, result_id: str, conquest_id: str) -> None:
    with context.transaction() as session:
        result = session.get_one(ConquestResult, result_id)
        result.state, result.conquest_id = ResultState.STORED.value, conquest_id


def _conquest(execution: ConquestExecution, result: ConquestResult) -> Conquest:
    asked = result.asked or {}
    completed_at = result.at or clock.now()
    prompt = {name: asked[name] for name in ("prompt", "system", "examples") if asked.get(name)}
    return Conquest(
        key=result.id,
        scope=Scope(execution.philosopher, execution.source_domain),
        eidos_id=execution.eidos_id,
        subject_id=str(asked.get("subject") or result.candidate_id),
        kind=execution.conquest_type,
        prompt=prompt,
        answer=answer_data(execution, result),
        started_at=completed_at - timedelta(milliseconds=result.duration_ms or 0),
        completed_at=completed_at,
        execution_ms=round(result.duration_ms) if result.duration_ms is not None else None,
        tuned_model_id=execution.model_id if execution.is_tuned else None,
        title=asked.get("title"),
        system_text=asked.get("system"),
    )


def _end(context: WorkContext, work: _Work) -> Mapping[str, Any]:
    with context.database.reading() as session:
        counts = queries.counts(session, [work.execution.id])[work.execution.id]
        error = queries.most_frequent_error(session, work.execution.id)
    num_failed = counts[ResultState.FAILED]
    if num_failed == work.execution.num_candidates and not context.should_stop():
        raise JobFailed(
            f"No candidate could be judged. {error}" if num_failed > 1 else str(error),
            hint="Mend what the message names, then execute it again.",
            kind="no_answer",
        )
    return {"num_stored": counts[ResultState.STORED], "num_failed": num_failed}
