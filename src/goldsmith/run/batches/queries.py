"""Every SELECT on batches and their requests. Lists are paged by key: hand in the last one seen."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.run.batches.errors import BatchNotFound
from goldsmith.run.batches.tables import Batch, BatchedRequest
from goldsmith.run.batches.types import Counts, RequestState, Side

REQUESTS_AT_ONCE = 500
LINES_AT_ONCE = 50
"""A line of a file may be long: a list of embeddings."""


def one(session: Session, batch_id: str, *, domain: str | None = None) -> Batch:
    """The batch, of this organisation where one is named. Raises BatchNotFound."""
    batch = session.get(Batch, batch_id)
    if batch is None or (domain is not None and batch.domain != domain):
        raise BatchNotFound(f"There is no batch {batch_id}.")
    return batch


def page(session: Session, *, domain: str, before: str | None = None, limit: int = 50) -> list[Batch]:
    """Batches, newest first."""
    query = select(Batch).where(Batch.domain == domain).order_by(Batch.id.desc()).limit(limit)
    return list(session.scalars(query.where(Batch.id < before) if before else query))


def counts(session: Session, batch: Batch) -> Counts:
    """How far a batch is."""
    return counts_of(session, [batch])[batch.id]


def counts_of(session: Session, batches: Sequence[Batch]) -> dict[str, Counts]:
    """The same for several; only those that are at work are counted."""
    open_ids = [batch.id for batch in batches if not batch.is_over and batch.in_progress_at is not None]
    query = select(BatchedRequest.batch_id, BatchedRequest.state, func.count())
    query = query.where(BatchedRequest.batch_id.in_(open_ids)).group_by(BatchedRequest.batch_id, BatchedRequest.state)
    counted = {(batch_id, state): number for batch_id, state, number in session.execute(query)} if open_ids else {}
    return {
        batch.id: Counts(
            batch.num_requests,
            counted.get((batch.id, RequestState.ANSWERED.value), 0) if batch.id in open_ids else batch.num_answered,
            counted.get((batch.id, RequestState.FAILED.value), 0) if batch.id in open_ids else batch.num_failed,
        )
        for batch in batches
    }


def counts_by_model(session: Session, batch_id: str) -> dict[str, Counts]:
    """How far a batch is with each of its models."""
    query = select(BatchedRequest.model_id, BatchedRequest.state, func.count())
    query = query.where(BatchedRequest.batch_id == batch_id).group_by(BatchedRequest.model_id, BatchedRequest.state)
    found: dict[str, dict[str, int]] = {}
    for model_id, state, number in session.execute(query):
        found.setdefault(model_id, {})[state] = number
    return {
        model_id: Counts(
            sum(states.values()),
            states.get(RequestState.ANSWERED.value, 0),
            states.get(RequestState.FAILED.value, 0),
        )
        for model_id, states in found.items()
    }


def last_line(session: Session, batch_id: str) -> int:
    """The last line of the file that was taken into the database; 0 when there is none."""
    return session.scalar(select(func.max(BatchedRequest.line)).where(BatchedRequest.batch_id == batch_id)) or 0


def requests_to_ask(session: Session, batch_id: str, model_id: str, *, after: int) -> list[BatchedRequest]:
    """The next requests to a model that have no end yet, in the order of the file."""
    query = select(BatchedRequest).where(
        BatchedRequest.batch_id == batch_id,
        BatchedRequest.state == RequestState.WAITING.value,
        BatchedRequest.model_id == model_id,
        BatchedRequest.line > after,
    )
    return list(session.scalars(query.order_by(BatchedRequest.line).limit(REQUESTS_AT_ONCE)))


def has_open(session: Session, batch_id: str, model_id: str) -> bool:
    """Whether a request to this model has no end yet."""
    query = select(BatchedRequest.id).where(
        BatchedRequest.batch_id == batch_id,
        BatchedRequest.state == RequestState.WAITING.value,
        BatchedRequest.model_id == model_id,
    )
    return session.scalar(query.limit(1)) is not None


def lines(session: Session, batch_id: str, side: Side, *, after: int, has_open: bool = False) -> list[BatchedRequest]:
    """The next requests of one file, in the order of the input; `has_open` adds those without an end to the errors."""
    states = [RequestState.ANSWERED] if side is Side.OUTPUT else [RequestState.FAILED]
    if has_open and side is Side.ERRORS:
        states.append(RequestState.WAITING)
    # Through a function the state leads to no index, so that lines are read in their order and never sorted.
    state = func.coalesce(BatchedRequest.state, "")
    query = select(BatchedRequest).where(
        BatchedRequest.batch_id == batch_id,
        BatchedRequest.line > after,
        state.in_([each.value for each in states]),
    )
    return list(session.scalars(query.order_by(BatchedRequest.line).limit(LINES_AT_ONCE)))


def tokens(session: Session, batch_id: str) -> tuple[int, int] | None:
    """Tokens of all prompts and answers; None when nobody counted any."""
    query = select(func.sum(BatchedRequest.prompt_tokens), func.sum(BatchedRequest.answer_tokens))
    prompt, answer = session.execute(query.where(BatchedRequest.batch_id == batch_id)).one()
    return (int(prompt or 0), int(answer or 0)) if prompt is not None or answer is not None else None


def tokens_served(session: Session, batch_id: str) -> dict[str, tuple[int, int]]:
    """Tokens of questions and answers by the engine that answered."""
    sums = (func.sum(BatchedRequest.prompt_tokens), func.sum(BatchedRequest.answer_tokens))
    is_served = (BatchedRequest.batch_id == batch_id, BatchedRequest.served_by.is_not(None))
    query = select(BatchedRequest.served_by, *sums).where(*is_served).group_by(BatchedRequest.served_by)
    return {
        str(engine_id): (int(asked or 0), int(answered or 0)) for engine_id, asked, answered in session.execute(query)
    }


def most_frequent_error(session: Session, batch_id: str) -> str | None:
    """What most failed requests of a batch say."""
    is_failed = BatchedRequest.state == RequestState.FAILED.value
    query = select(BatchedRequest.error).where(BatchedRequest.batch_id == batch_id, is_failed)
    query = query.where(BatchedRequest.error.is_not(None)).group_by(BatchedRequest.error)
    return session.scalar(query.order_by(func.count().desc(), BatchedRequest.error).limit(1))


def too_late(session: Session, now: datetime) -> list[Batch]:
    """Batches whose time is over and that are not."""
    query = select(Batch).where(Batch.is_over.is_(False), Batch.expires_at < now)
    return list(session.scalars(query.order_by(Batch.id).limit(REQUESTS_AT_ONCE)))
