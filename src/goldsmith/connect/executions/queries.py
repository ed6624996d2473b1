"""Every SELECT on executions. Lists are paged by key: hand in the last one seen."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.connect.errors import ExecutionNotFound
from goldsmith.connect.executions.tables import ConquestExecution, ConquestResult
from goldsmith.connect.executions.types import ResultState
from goldsmith.connect.tables import SourceScope, SourceSet
from goldsmith.models.tables import BaseModel, FineTunedModel

AT_ONCE = 50
"""Candidates whose prompts are made together."""


def one(session: Session, execution_id: str, *, domain: str | None = None) -> ConquestExecution:
    """The execution, of this organisation where one is named. Raises ExecutionNotFound."""
    found = session.get(ConquestExecution, execution_id)
    if found is None or (domain is not None and found.domain != domain):
        raise ExecutionNotFound(f"There is no execution {execution_id}.")
    return found


def with_key(session: Session, key: str, *, domain: str) -> ConquestExecution | None:
    """What the request with this idempotency key became."""
    query = select(ConquestExecution).where(
        ConquestExecution.domain == domain, ConquestExecution.idempotency_key == key
    )
    return session.scalar(query)


def page(session: Session, *, domain: str, before: str | None = None, limit: int = 50) -> Sequence[ConquestExecution]:
    """Executions, newest first."""
    query = select(ConquestExecution).where(ConquestExecution.domain == domain)
    if before:
        query = query.where(ConquestExecution.id < before)
    return list(session.scalars(query.order_by(ConquestExecution.id.desc()).limit(limit)))


def results(
    session: Session, execution_id: str, *, after: int = 0, state: ResultState | None = None, limit: int = AT_ONCE
) -> Sequence[ConquestResult]:
    """What came of its candidates, behind the position `after`."""
    query = select(ConquestResult).where(ConquestResult.execution_id == execution_id, ConquestResult.position > after)
    if state is not None:
        query = query.where(ConquestResult.state == state.value)
    return list(session.scalars(query.order_by(ConquestResult.position).limit(limit)))


def counts(session: Session, execution_ids: Sequence[str]) -> Mapping[str, Mapping[ResultState, int]]:
    """Of each execution, how many candidates are how far."""
    query = select(ConquestResult.execution_id, ConquestResult.state, func.count()).where(
        ConquestResult.execution_id.in_(execution_ids)
    )
    found: dict[str, dict[ResultState, int]] = {each: dict.fromkeys(ResultState, 0) for each in execution_ids}
    for execution_id, state, num in session.execute(query.group_by(ConquestResult.execution_id, ConquestResult.state)):
        found[execution_id][ResultState(state)] = int(num)
    return found


def used(session: Session, execution_ids: Sequence[str]) -> Mapping[str, tuple[int, float]]:
    """Of each execution, the tokens of questions and answers, and the seconds in which they were answered."""
    columns: list[Any] = [ConquestResult.prompt_tokens, ConquestResult.answer_tokens, ConquestResult.duration_ms]
    sums = [func.coalesce(func.sum(column), 0) for column in columns]
    query = select(ConquestResult.execution_id, *sums).where(ConquestResult.execution_id.in_(execution_ids))
    return {
        execution_id: (int(asked + answered), float(ms) / 1000)
        for execution_id, asked, answered, ms in session.execute(query.group_by(ConquestResult.execution_id))
    }


def only_conquests(session: Session, execution_ids: Sequence[str]) -> Mapping[str, str | None]:
    """Of each execution, the id in the source of its first candidate's conquest."""
    query = select(ConquestResult.execution_id, ConquestResult.conquest_id)
    found = session.execute(query.where(ConquestResult.execution_id.in_(execution_ids), ConquestResult.position == 1))
    return {row[0]: row[1] for row in found}


def most_frequent_error(session: Session, execution_id: str) -> str | None:
    """What most failed candidates say."""
    is_failed = ConquestResult.state == ResultState.FAILED.value
    query = select(ConquestResult.error).where(ConquestResult.execution_id == execution_id, is_failed)
    counted = query.group_by(ConquestResult.error).order_by(func.count().desc(), ConquestResult.error)
    return session.scalar(counted.limit(1))


def learned_elsewhere(session: Session, model: BaseModel | FineTunedModel, source_domain: str) -> bool:
    """Whether a model was made of the stars of another organisation of the source, itself or by what was merged in."""
    tuned_id = model.id if isinstance(model, FineTunedModel) else model.merged_from
    query = (
        select(SourceScope.id)
        .join(SourceSet, SourceSet.scope_id == SourceScope.id)
        .join(FineTunedModel, FineTunedModel.training_set_id == SourceSet.training_set_id)
        .where(FineTunedModel.id == tuned_id, SourceScope.source_domain != source_domain)
    )
    return session.scalar(query.limit(1)) is not None
