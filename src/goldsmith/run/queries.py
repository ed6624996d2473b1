"""Every SELECT on prompts, runs and answers. Lists are paged by key: hand in the last one seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.run import counting
from goldsmith.run.counting import is_cut_off, is_failed, num_answers, progress_of
from goldsmith.run.errors import AnswerNotFound, PromptNotFound, RunNotFound
from goldsmith.run.tables import Answer, Prompt, PromptVersion, Run
from goldsmith.run.types import AnswerState, RunProgress

__all__ = ["is_cut_off", "is_failed", "num_answers", "progress_of"]
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class AnsweredRow:
    """An answer beside the row that was asked."""

    answer: Answer
    content: dict[str, Any]


def one(session: Session, run_id: str, *, domain: str | None = None) -> Run:
    """The run, of this organisation where one is named. Raises RunNotFound."""
    run = session.get(Run, run_id)
    if run is None or (domain is not None and run.domain != domain):
        raise RunNotFound(f"There is no run {run_id}.")
    return run


def page(
    session: Session, *, domain: str, kinds: Sequence[str] = (), before: str | None = None, limit: int = 50
) -> list[Run]:
    """Runs, newest first."""
    query = select(Run).where(Run.domain == domain).order_by(Run.id.desc()).limit(limit)
    if kinds:
        query = query.where(Run.kind.in_(kinds))
    if before:
        query = query.where(Run.id < before)
    return list(session.scalars(query))


def num_of_dataset(session: Session, dataset_id: str) -> int:
    """How many runs asked rows of a dataset, whatever its version."""
    query = select(func.count(Run.id)).join(DatasetVersion, DatasetVersion.id == Run.dataset_version_id)
    return session.scalar(query.where(DatasetVersion.dataset_id == dataset_id)) or 0


def progress(session: Session, run_id: str) -> RunProgress:
    """How far a run is."""
    return counting.progress_of(session, [run_id])[run_id]


def answer(session: Session, answer_id: str, *, domain: str | None = None) -> Answer:
    """One answer. Raises AnswerNotFound."""
    found = session.get(Answer, answer_id)
    if found is None or (domain is not None and one(session, found.run_id).domain != domain):
        raise AnswerNotFound(f"There is no answer {answer_id}.")
    return found


def answers(session: Session, run_id: str, *, after: int = 0, limit: int = 50) -> list[AnsweredRow]:
    """Answers with their rows, in the order of the dataset, behind the position `after`."""
    query = (
        select(Answer, Row.content)
        .join(Row, Row.id == Answer.row_id)
        .where(Answer.run_id == run_id, Answer.position > after)
        .order_by(Answer.position)
        .limit(limit)
    )
    return [AnsweredRow(answer, content) for answer, content in session.execute(query)]


def tokens_served(session: Session, run_id: str) -> dict[str, tuple[int, int]]:
    """Tokens of questions and answers by the engine that answered."""
    sums = (func.sum(Answer.prompt_tokens), func.sum(Answer.answer_tokens))
    query = select(Answer.served_by, *sums).where(Answer.run_id == run_id, Answer.served_by.is_not(None))
    return {
        str(engine_id): (int(asked or 0), int(answered or 0))
        for engine_id, asked, answered in session.execute(query.group_by(Answer.served_by))
    }


def rows_to_ask(session: Session, run: Run, *, after: int, retry_before: Any = None) -> list[Row]:
    """The next rows of a run without an answer; with `retry_before` also those that failed before that moment."""
    has_answer = select(Answer.row_id).where(Answer.run_id == run.id, Answer.row_id == Row.id)
    if retry_before is not None:
        is_final = or_(Answer.state != AnswerState.FAILED.value, Answer.at >= retry_before)
        has_answer = has_answer.where(is_final)
    query = select(Row).where(
        Row.dataset_version_id == run.dataset_version_id,
        Row.position > after,
        Row.position <= run.num_rows,
        ~has_answer.exists(),
    )
    return list(session.scalars(query.order_by(Row.position).limit(ROWS_AT_ONCE)))


def by_rows(session: Session, run_id: str, row_ids: Sequence[str]) -> dict[str, Answer]:
    """The answers of some rows of a run."""
    query = select(Answer).where(Answer.run_id == run_id, Answer.row_id.in_(row_ids))
    return {found.row_id: found for found in session.scalars(query)}


def most_frequent_error(session: Session, run_id: str) -> str | None:
    """What most failed rows of a run say."""
    is_said = Answer.error.is_not(None)
    query = select(Answer.error).where(Answer.run_id == run_id, is_failed(), is_said).group_by(Answer.error)
    return session.scalar(query.order_by(func.count().desc(), Answer.error).limit(1))


def prompt_version(session: Session, version_id: str, *, domain: str | None = None) -> PromptVersion:
    """One wording of a prompt. Raises PromptNotFound."""
    found = session.get(PromptVersion, version_id)
    if found is None or (domain is not None and found.domain != domain):
        raise PromptNotFound(f"There is no prompt version {version_id}.")
    return found


def prompt(session: Session, name: str, *, domain: str) -> Prompt:
    """The prompt with this id or name. Raises PromptNotFound."""
    found = session.get(Prompt, name)
    found = found if found is not None and found.domain == domain else prompt_named(session, name, domain=domain)
    if found is None:
        raise PromptNotFound(f"There is no prompt {name}.")
    return found


def prompt_named(session: Session, name: str, *, domain: str) -> Prompt | None:
    """The prompt with this name, or None."""
    return session.scalar(select(Prompt).where(Prompt.domain == domain, Prompt.name == name).order_by(Prompt.id))


def prompts(session: Session, *, domain: str, before: str | None = None, limit: int = 50) -> list[Prompt]:
    """Prompts, newest first."""
    query = select(Prompt).where(Prompt.domain == domain).order_by(Prompt.id.desc()).limit(limit)
    return list(session.scalars(query.where(Prompt.id < before) if before else query))


def versions(session: Session, prompt_id: str) -> list[PromptVersion]:
    """All wordings of a prompt, newest first."""
    query = select(PromptVersion).where(PromptVersion.prompt_id == prompt_id)
    return list(session.scalars(query.order_by(PromptVersion.number.desc())))


def newest_version(session: Session, prompt_id: str) -> PromptVersion:
    """The newest wording. Raises PromptNotFound."""
    query = select(PromptVersion).where(PromptVersion.prompt_id == prompt_id)
    found = session.scalar(query.order_by(PromptVersion.number.desc()).limit(1))
    if found is None:
        raise PromptNotFound(f"There is no wording of the prompt {prompt_id}.")
    return found
