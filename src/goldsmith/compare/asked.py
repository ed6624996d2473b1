"""The rows that every arm of a comparison is asked: a training set's exam, or a dataset that brings its right answers.

A comparison of an exam names its training set; one of a dataset names none, and its arms name the dataset version.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from goldsmith.compare import queries
from goldsmith.compare.errors import DatasetWithoutAnswers
from goldsmith.compare.tables import ModelComparison
from goldsmith.data import queries as data
from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.errors import GoldsmithError
from goldsmith.run import queries as runs
from goldsmith.run.messages import check_variables, messages_for
from goldsmith.run.tables import PromptVersion
from goldsmith.stars.tables import TrainingSetRow
from goldsmith.storage.text import plain

ROWS_AT_ONCE = 500
Turns = Sequence[dict[str, str]]


@dataclass(frozen=True)
class AskedRow:
    """One row: the turns up to the question, and the answer that is right."""

    row_id: str
    position: int
    asked: Turns
    expected: str


def row_word(comparison: ModelComparison) -> str:
    """How one of its rows is called: those of a dataset of one's own are no exam."""
    return "exam row" if comparison.training_set_id is not None else "row"


def of_exam(
    session: Session, training_set_id: str, *, limit: int | None = None, row_ids: Sequence[str] | None = None
) -> list[AskedRow]:
    """The rows that were held back when the set was made; some alone, if they are named."""
    found = queries.exam_rows(session, training_set_id, limit=limit, row_ids=row_ids)
    return [AskedRow(row.row_id, row.position, row.messages[:-1], row.expected) for row in found]


def of_dataset(
    session: Session,
    version: DatasetVersion,
    wording: PromptVersion,
    *,
    learned: Iterable[TrainingSetRow],
    limit: int | None = None,
) -> list[AskedRow]:
    """The rows that have a right answer and whose question was not learned.

    Raises DatasetWithoutAnswers, PromptVariableUnknown.
    """
    if version.answer_column is None:
        raise DatasetWithoutAnswers("The dataset does not say which of its columns holds the right answers.")
    check_variables(wording, version.columns)
    known = {_question(row.messages[:-1]) for row in learned}
    found: list[AskedRow] = []
    for row in _answered(session, version, wording):
        if limit is not None and len(found) == limit:
            break
        if _question(row.asked) not in known:
            found.append(row)
    return found


def of_comparison(session: Session, comparison: ModelComparison) -> list[AskedRow]:
    """The rows of a comparison that was started, in their order."""
    if comparison.training_set_id is not None:
        rows: Iterable[AskedRow] = of_exam(session, comparison.training_set_id)
    else:
        version = version_of(session, comparison)
        wording = runs.prompt_version(session, comparison.prompt_version_id)
        rows = _answered(session, version, wording) if version is not None else []
    wanted = set(comparison.test_prompts)
    return [row for row in rows if row.row_id in wanted]


def some_of_comparison(session: Session, comparison: ModelComparison, row_ids: Sequence[str]) -> list[AskedRow]:
    """Some of these rows, in the order in which they are named."""
    if comparison.training_set_id is not None:
        rows: Iterable[AskedRow] = of_exam(session, comparison.training_set_id, row_ids=row_ids)
    else:
        version = version_of(session, comparison)
        wording = runs.prompt_version(session, comparison.prompt_version_id)
        found = queries.rows_named(session, row_ids)
        rows = filter(None, (_asked(row, version, wording) for row in found)) if version is not None else []
    by_id = {row.row_id: row for row in rows}
    return [by_id[row_id] for row_id in row_ids if row_id in by_id]


def version_of(session: Session, comparison: ModelComparison) -> DatasetVersion | None:
    """The dataset version that is asked; None for an exam."""
    arms = queries.arms(session, comparison.id)
    version_id = runs.one(session, arms[0].run_id).dataset_version_id if arms else None
    return data.version(session, version_id) if version_id is not None else None


def _answered(session: Session, version: DatasetVersion, wording: PromptVersion) -> Iterator[AskedRow]:
    """Rows with something to ask and a right answer."""
    after = 0
    while rows := data.rows(session, version.id, after=after, limit=ROWS_AT_ONCE):
        yield from filter(None, (_asked(row, version, wording) for row in rows))
        after = rows[-1].position


def _asked(row: Row, version: DatasetVersion, wording: PromptVersion) -> AskedRow | None:
    expected = str(row.content.get(version.answer_column or "") or "")
    try:
        asked = messages_for(wording, row.content)
    except GoldsmithError:
        return None
    return AskedRow(row.id, row.position, asked, expected) if expected.strip() else None


def _question(asked: Turns) -> tuple[str, ...]:
    return tuple(plain(turn["content"]) for turn in asked)
