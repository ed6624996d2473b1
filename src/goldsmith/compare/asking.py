"""Asks one arm about its open rows and keeps the answers. For the workers of comparisons and of learning curves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from goldsmith.compare import queries
from goldsmith.jobs.kinds import WorkContext
from goldsmith.run.answers import write_answers
from goldsmith.run.engine_reply import RowLetters
from goldsmith.run.types import AnswerRequest, SendLimits, SentAnswer
from goldsmith.serve.types import Target
from goldsmith.storage.patience import until_it_answers

LIMITS = SendLimits(concurrency=16, timeout_s=300.0)


@dataclass(frozen=True)
class Arm:
    """Whose answers are kept in which run."""

    run_id: str
    schema: Mapping[str, Any] | None
    """What an answer has to be like, where the prompt says it."""


def ask(
    context: WorkContext,
    arm: Arm,
    requests: Iterator[AnswerRequest],
    targets: Sequence[Target],
    *,
    on_kept: Callable[[int], None],
    limits: SendLimits = LIMITS,
) -> None:
    """Ask; `on_kept` is told how many answers were written each time. Raises EngineGone."""
    from goldsmith.run import lanes  # it loads aiohttp, which only the worker needs

    def write(answers: list[SentAnswer]) -> None:
        with context.transaction() as session:
            write_answers(session, arm.run_id, answers, schema=arm.schema)

    def keep(answers: list[SentAnswer]) -> None:
        until_it_answers(lambda: write(answers))  # a good answer that is there already is not touched
        on_kept(len(answers))

    lanes.ask(
        targets,
        lanes.Source(requests, write=lambda request, _: request, letters=RowLetters),
        home=context.home,
        limits=limits,
        on_answers=keep,
        should_stop=context.should_stop,
    )


def answered(context: WorkContext, run_id: str) -> set[str]:
    """The rows that have an answer in a run."""
    with context.database.reading() as session:
        return {row_id for _, row_id in queries.answers(session, [run_id])}
