"""The work of a run: ask the model about every row that has no answer yet, and keep each answer as it comes.

Started again after any death, it asks only what is still open. Writes go through the worker's fenced transactions.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.data.tables import Row
from goldsmith.errors import GoldsmithError
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.costs import Rates
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.types import Stage
from goldsmith.run import queries
from goldsmith.run.answers import write_answers
from goldsmith.run.control_words import ControlWords, WordFinder, finder_for
from goldsmith.run.costs import cost_of
from goldsmith.run.engine_reply import RowLetters
from goldsmith.run.messages import messages_for
from goldsmith.run.tables import PromptVersion, Run
from goldsmith.run.types import AnswerRequest, RunOptions, SendLimits, SentAnswer
from goldsmith.run.waiting import ENGINE_START_S, ask_through_losses
from goldsmith.serve.types import Target
from goldsmith.storage.files import Home
from goldsmith.storage.patience import until_it_answers


@dataclass
class _Work:
    """A run while its worker is at it."""

    run: Run
    wording: PromptVersion
    options: RunOptions
    retry_before: datetime | None
    num_done: int
    find_words: WordFinder | None = None
    words: ControlWords = field(default_factory=ControlWords)
    machine_s: float = 0.0
    """Seconds that earlier attempts and earlier jobs of this run took."""
    began: float = field(default_factory=time.monotonic)


class RunKind(LightKind):
    """Answers the rows of a dataset version."""

    name: ClassVar[str] = "run"
    stages: ClassVar[tuple[Stage, ...]] = (Stage("answer"),)

    def __init__(
        self,
        *,
        limits: SendLimits | None = None,
        engine_start_s: float = ENGINE_START_S,
        word_finder: Callable[[Session, Home, str], WordFinder | None] = finder_for,
        rates: Rates = Rates(),
    ) -> None:
        self._rates = rates
        self._limits = limits or SendLimits()
        self._engine_start_s = engine_start_s
        self._word_finder = word_finder

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Ask what is open. Raises JobFailed when the engine stays away or every row failed."""
        del stage
        work = self._open(context)
        ask_through_losses(
            context,
            work.run.model_id or "",
            lambda targets: self._ask(context, work, targets),
            num_done=lambda: work.num_done,
            timeout_s=self._engine_start_s,
        )
        return self._end(context, work)

    def _open(self, context: WorkContext) -> _Work:
        with context.database.reading() as session:
            run = queries.one(session, str(context.job.params["run_id"]))
            progress = queries.progress(session, run.id)
            job = job_queries.one(session, context.job.id)
            retry_before = context.job.params.get("retry_before")
            known = {name: value for name, value in run.options.items() if name in RunOptions.__dataclass_fields__}
            finder = self._word_finder(session, context.home, run.model_id) if run.model_id else None
            return _Work(
                run=run,
                wording=queries.prompt_version(session, run.prompt_version_id),
                options=RunOptions(**known),
                retry_before=datetime.fromisoformat(retry_before) if retry_before else None,
                num_done=progress.num_answered + (0 if retry_before else progress.num_failed),
                find_words=finder,
                words=ControlWords.from_list((job.result or {}).get("control_words", [])),
                machine_s=job_queries.machine_s(session, run.id),
            )

    def _ask(self, context: WorkContext, work: _Work, targets: Sequence[Target]) -> None:
        from goldsmith.run import lanes  # it loads aiohttp, which only the worker needs

        def write(answers: list[SentAnswer]) -> None:
            with context.transaction() as session:
                write_answers(session, work.run.id, answers, schema=work.wording.answer_schema)

        def keep(answers: list[SentAnswer]) -> None:
            until_it_answers(lambda: write(answers))  # a good answer that is there already is not touched
            work.num_done += len(answers)
            share = min(work.num_done / max(1, work.run.num_rows), 1.0)
            words = f"{work.num_done:,} of {work.run.num_rows:,} rows answered"
            until_it_answers(lambda: context.report(share, words))

        limits = SendLimits(
            concurrency=work.options.concurrency,
            timeout_s=work.options.timeout_s,
            num_tries=self._limits.num_tries,
            engine_wait_s=self._limits.engine_wait_s,
            backoff_s=self._limits.backoff_s,
        )
        lanes.ask(
            targets,
            lanes.Source(_requests(context, work), write=lambda request, _: request, letters=RowLetters),
            home=context.home,
            limits=limits,
            on_answers=keep,
            should_stop=context.should_stop,
        )

    def _end(self, context: WorkContext, work: _Work) -> Mapping[str, Any]:
        with context.database.reading() as session:
            progress = queries.progress(session, work.run.id)
            error = queries.most_frequent_error(session, work.run.id)
            machine_s = work.machine_s + time.monotonic() - work.began
            cost = cost_of(session, queries.tokens_served(session, work.run.id), self._rates, machine_s)
        is_over = progress.num_open == 0 and not context.should_stop()
        if is_over and progress.num_failed and progress.num_answered == 0:
            raise JobFailed(
                f"All {progress.num_failed:,} rows failed. Most of them with: {error}",
                hint="Mend what the message names, then ask the failed rows again.",
                kind="every_row_failed",
            )
        if is_over:
            context.report(1.0, f"{progress.num_answered:,} of {work.run.num_rows:,} rows answered")
        return {
            "num_answered": progress.num_answered,
            "num_failed": progress.num_failed,
            "num_cut_off": progress.num_cut_off,
            "num_invalid": progress.num_invalid,
            "control_words": work.words.to_list(),
            **cost.to_result(),
        }


def _requests(context: WorkContext, work: _Work) -> Iterator[AnswerRequest]:
    after = 0

    def read() -> Sequence[Row]:
        with context.database.reading() as session:
            return queries.rows_to_ask(session, work.run, after=after, retry_before=work.retry_before)

    while True:
        rows = until_it_answers(read)
        if not rows:
            return
        for row in rows:
            yield _request(work, row.id, row.position, row.content)
        after = rows[-1].position


def _request(work: _Work, row_id: str, position: int, content: Mapping[str, Any]) -> AnswerRequest:
    try:
        messages, problem = messages_for(work.wording, content), None
    except GoldsmithError as error:
        messages, problem = [], error.message
    if work.find_words is not None:
        work.words.look(position, messages, work.find_words)
    return AnswerRequest(
        row_id=row_id,
        position=position,
        messages=messages,
        max_tokens=work.options.max_tokens,
        temperature=work.options.temperature,
        seed=work.options.seed,
        answer_schema=work.wording.answer_schema,
        problem=problem,
    )
