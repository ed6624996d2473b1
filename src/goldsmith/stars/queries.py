"""Every SELECT on marks and training sets. The newest mark of an answer says how it stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from goldsmith.data.tables import Row
from goldsmith.run import queries as runs
from goldsmith.run.tables import Answer, Run
from goldsmith.stars import search
from goldsmith.stars.errors import TrainingSetNotFound
from goldsmith.stars.tables import Mark, TrainingSet, TrainingSetRow
from goldsmith.stars.tally import tally
from goldsmith.stars.types import AnswerCounts, AnswerFilter, AnswerQuery, AnswerSort, MarkKind
from goldsmith.storage.keeping import Kept

BULK = "bulk"
"""How marks were made that a rule made."""
_IDS_AT_ONCE = 500
_marks_kept: Kept[tuple[int, ...]] = Kept()


@dataclass(frozen=True)
class MarkedAnswer:
    """An answer, the row that was asked, and the newest mark, if somebody has marked it."""

    answer: Answer
    content: dict[str, Any]
    mark: Mark | None


@dataclass(frozen=True)
class AnswerPage:
    """One page; `next_after` is None on the last."""

    items: list[MarkedAnswer]
    next_after: str | None


def state_of(session: Session, answer_ids: Sequence[str]) -> dict[str, Mark]:
    """The newest mark of each answer that has one."""
    found: dict[str, Mark] = {}
    for start in range(0, len(answer_ids), _IDS_AT_ONCE):
        some = answer_ids[start : start + _IDS_AT_ONCE]
        query = select(Mark).where(Mark.answer_id.in_(some), is_newest())
        found.update((mark.answer_id, mark) for mark in session.scalars(query))
    return found


def history(session: Session, answer_id: str) -> list[Mark]:
    """All marks of an answer, oldest first."""
    return list(session.scalars(select(Mark).where(Mark.answer_id == answer_id).order_by(Mark.id)))


def newest_moments(session: Session, run_id: str, *, limit: int = 30) -> list[datetime]:
    """When whoever marked last by hand in this run did so, newest first."""
    query = select(Mark).where(Mark.run_id == run_id, Mark.via == "page").order_by(Mark.id.desc()).limit(limit)
    found = list(session.scalars(query))
    return [mark.created_at for mark in found if mark.created_by == found[0].created_by]


def marked(session: Session, answer_ids: Sequence[str]) -> set[str]:
    """Those of the answers about which something is said that was not taken back."""
    query = select(Mark.answer_id).where(Mark.answer_id.in_(answer_ids), _says_something(), is_newest())
    return set(session.scalars(query))


def is_of_newest_bulk(run_id: str, person_id: str) -> ColumnElement[bool]:
    """Of a mark: the person's last rule made it, and nobody has marked its answer since."""
    rule = and_(Mark.run_id == run_id, Mark.via == BULK, Mark.created_by == person_id, Mark.kind != MarkKind.undo.value)
    # The marks of one rule have one time. A rule that was taken back is no longer the last one.
    newest = select(func.max(Mark.created_at)).where(rule, is_newest()).scalar_subquery()
    return and_(rule, is_newest(), Mark.created_at == newest)


def num_of_newest_bulk(session: Session, run_id: str, person_id: str) -> int:
    """How many answers the person's last rule has marked, of those that nobody has marked since."""
    return session.scalar(select(func.count(Mark.id)).where(is_of_newest_bulk(run_id, person_id))) or 0


def stand_of_marks(session: Session, run_id: str) -> tuple[int, int]:
    """Differs as soon as an answer of the run was marked: marks are only ever added."""
    number, newest = session.execute(select(func.count(), func.max(Mark.id)).where(Mark.run_id == run_id)).one()
    return int(number), int(newest or 0)


def answers_page(session: Session, run_id: str, query: AnswerQuery | None = None) -> AnswerPage:
    """Answers of a run with their rows and marks: filtered, searched in answers and rows, sorted, paged by key."""
    query = query or AnswerQuery()
    ids = _ids(session, run_id, query)
    whole = select(Answer, Row.content).join(Row, Row.id == Answer.row_id).where(Answer.id.in_(ids))
    found = {answer.id: (answer, content) for answer, content in session.execute(whole)}
    marks = state_of(session, ids)
    items = [MarkedAnswer(*found[answer_id], marks.get(answer_id)) for answer_id in ids[: query.limit]]
    return AnswerPage(items, _cursor(items[-1].answer, query.sort) if len(ids) > query.limit else None)


def conditions(session: Session, run_id: str, query: AnswerQuery) -> list[ColumnElement[bool]]:
    """What an answer must be to be on any of the query's pages."""
    searched = search.condition(session, run_id, query.search)
    return [Answer.run_id == run_id, *_filter(query.filter), *([] if searched is None else [searched])]


def counts(session: Session, run_id: str) -> AnswerCounts:
    """How many answers of a run each filter shows."""
    found = runs.progress(session, run_id)
    num_marked, starred, corrected, bad = _marks_kept.get(
        session,
        run_id,
        stand=lambda: stand_of_marks(session, run_id),
        make=lambda: _count_marks(session, run_id),
    )
    num_all, few = found.num_answered + found.num_failed, (found.num_failed, found.num_cut_off, found.num_invalid)
    return AnswerCounts(num_all, num_all - num_marked, starred, corrected, bad, *few)


def _count_marks(session: Session, run_id: str) -> tuple[int, ...]:
    """Answers that are marked, starred, corrected, bad."""
    counted = select(
        _num(_says_something()),
        _num(Mark.is_star),
        _num(and_(Mark.is_star, Mark.correction.is_not(None))),
        _num(Mark.is_bad),
    )
    return tuple(int(count or 0) for count in session.execute(counted.where(Mark.run_id == run_id, is_newest())).one())


def num_stars(session: Session, *, domain: str) -> dict[str, int]:
    """Stars in force, by run."""
    return {run_id: found.num_stars for run_id, found in tally(session, domain=domain).items()}


def num_corrected(session: Session, *, domain: str) -> int:
    """Stars in force that hold a correction."""
    return sum(found.num_corrected for found in tally(session, domain=domain).values())


def num_answers(session: Session, *, domain: str) -> int:
    """All answers of the organisation."""
    query = select(func.count()).select_from(Answer).join(Run, Run.id == Answer.run_id).where(Run.domain == domain)
    return session.scalar(query) or 0


def is_starred() -> ColumnElement[bool]:
    """A mark that is a star in force; for a SELECT from marks."""
    return and_(Mark.is_star, is_newest())


def is_bad() -> ColumnElement[bool]:
    """A mark that says bad and is in force; for a SELECT from marks."""
    return and_(Mark.is_bad, is_newest())


def training_set(session: Session, name: str, *, domain: str) -> TrainingSet:
    """The training set with this id, else the newest with this name. Raises TrainingSetNotFound."""
    named = or_(TrainingSet.id == name, TrainingSet.name == name)
    query = select(TrainingSet).where(TrainingSet.domain == domain, named)
    found = session.scalar(query.order_by((TrainingSet.id == name).desc(), TrainingSet.id.desc()).limit(1))
    if found is None:
        raise TrainingSetNotFound(f"There is no training set {name}.")
    return found


def training_sets(session: Session, *, domain: str, before: str | None = None, limit: int = 50) -> list[TrainingSet]:
    """Training sets, newest first."""
    query = select(TrainingSet).where(TrainingSet.domain == domain).order_by(TrainingSet.id.desc()).limit(limit)
    return list(session.scalars(query.where(TrainingSet.id < before) if before else query))


def num_exam_of(session: Session, training_set_id: str | None) -> int:
    """How many exam rows a training set has; 0 for what has none."""
    found = session.get(TrainingSet, training_set_id) if training_set_id else None
    return found.num_exam if found is not None else 0


def same_set(session: Session, content_hash: str, *, domain: str) -> TrainingSet | None:
    """The training set with these very bytes, if it was exported before."""
    query = select(TrainingSet).where(TrainingSet.domain == domain, TrainingSet.content_hash == content_hash)
    return session.scalar(query.order_by(TrainingSet.id).limit(1))


def training_set_rows(
    session: Session, training_set_id: str, side: str, *, after: int = 0, limit: int = 50
) -> list[TrainingSetRow]:
    """Examples of one side in their order, behind the position `after`."""
    query = select(TrainingSetRow).where(
        TrainingSetRow.training_set_id == training_set_id, TrainingSetRow.side == side, TrainingSetRow.position > after
    )
    return list(session.scalars(query.order_by(TrainingSetRow.position).limit(limit)))


def is_newest() -> ColumnElement[bool]:
    """A mark that says how its answer stands; for a SELECT from marks."""
    later = aliased(Mark)
    return ~exists().where(later.answer_id == Mark.answer_id, later.id > Mark.id)


def _says_something() -> ColumnElement[bool]:
    """Not one that took back all that was said: such an answer is as if nobody had looked at it."""
    said = (Mark.is_star, Mark.is_bad, Mark.correction.is_not(None), Mark.note.is_not(None))
    return or_(Mark.kind != MarkKind.undo.value, *said)


def _filter(name: AnswerFilter) -> list[ColumnElement[bool]]:
    of_this = Mark.answer_id == Answer.id
    by_filter: dict[AnswerFilter, list[ColumnElement[bool]]] = {
        AnswerFilter.all: [],
        AnswerFilter.unread: [~exists().where(of_this, _says_something(), is_newest())],
        AnswerFilter.starred: [exists().where(of_this, Mark.is_star, is_newest())],
        AnswerFilter.corrected: [exists().where(of_this, Mark.is_star, Mark.correction.is_not(None), is_newest())],
        AnswerFilter.bad: [exists().where(of_this, Mark.is_bad, is_newest())],
        AnswerFilter.failed: [runs.is_failed()],
        AnswerFilter.cut_off: [runs.is_cut_off()],
        AnswerFilter.invalid: [Answer.parse_error.is_not(None)],
    }
    return by_filter[name]


def _ids(session: Session, run_id: str, query: AnswerQuery) -> list[str]:
    """The answers of a page and one more, by keys alone, so that nothing large is sorted."""
    found: list[str] = []
    shown = select(Answer.id).where(*conditions(session, run_id, query))
    for part in _sorted(shown, query):
        found += session.scalars(part.limit(query.limit + 1 - len(found)))
        if len(found) > query.limit:
            break
    return found


_MEASURES: dict[AnswerSort, Any] = {AnswerSort.slowest: Answer.duration_ms, AnswerSort.longest: Answer.answer_tokens}


def _sorted(found: Select[Any], query: AnswerQuery) -> Iterator[Select[Any]]:
    """What is behind the cursor in its order, in parts that an index has in that order on both databases.

    Answers without a figure come last, where the databases disagree about what is larger than nothing.
    """
    measure, after = _MEASURES.get(query.sort), _place(query)
    if measure is None:
        yield (found.where(Answer.position > after[0]) if after else found).order_by(Answer.position)
        return
    if after is None or after[0] >= 0:
        behind = [tuple_(measure, Answer.position) < tuple_(*after)] if after else []
        yield found.where(measure.is_not(None), *behind).order_by(measure.desc(), Answer.position.desc())
    behind = [Answer.position < after[1]] if after and after[0] < 0 else []
    yield found.where(measure.is_(None), *behind).order_by(Answer.position.desc())


def _place(query: AnswerQuery) -> tuple[Any, ...] | None:
    """The cursor's values; None without one, and for what nobody has handed out."""
    try:
        values = tuple(float(part) if "." in part else int(part) for part in (query.after or "").split("_"))
    except ValueError:
        return None
    return values if len(values) == (2 if query.sort in _MEASURES else 1) else None


def _cursor(answer: Answer, sort: AnswerSort) -> str:
    """Where the page ends; -1 stands for no figure."""
    values: dict[AnswerSort, list[str]] = {
        AnswerSort.position: [],
        AnswerSort.slowest: [repr(float(-1.0 if answer.duration_ms is None else answer.duration_ms))],
        AnswerSort.longest: [str(-1 if answer.answer_tokens is None else answer.answer_tokens)],
    }
    return "_".join([*values[sort], str(answer.position)])


def _num(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


def positions_before(session: Session, run_id: str, query: AnswerQuery, position: int, *, limit: int) -> list[int]:
    """Of the answers that the query shows, the last positions before this one, in their order."""
    found = select(Answer.position).where(*conditions(session, run_id, query), Answer.position < position)
    return list(session.scalars(found.order_by(Answer.position.desc()).limit(limit)))[::-1]


def position_after(session: Session, run_id: str, query: AnswerQuery, position: int) -> int | None:
    """Of the answers that the query shows, the next position behind this one."""
    found = select(Answer.position).where(*conditions(session, run_id, query), Answer.position > position)
    position_found: int | None = session.scalar(found.order_by(Answer.position).limit(1))
    return position_found
