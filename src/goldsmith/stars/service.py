"""The verbs of stars: mark an answer, undo, mark many at once by a rule. Marks are only ever added."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from goldsmith.data import queries as data_queries
from goldsmith.data.errors import ColumnUnknown
from goldsmith.data.tables import Row
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run import queries as run_queries
from goldsmith.run.errors import AnswerNotFound
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import AnswerState
from goldsmith.stars import queries
from goldsmith.stars.equality import is_equal
from goldsmith.stars.errors import MarkNotPossible, NoMarkToUndo, StarConflict
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import (
    AnswerQuery,
    BulkExample,
    BulkPreview,
    BulkRequest,
    BulkRule,
    MarkKind,
    MarkRequest,
    MarkState,
)
from goldsmith.storage import clock
from goldsmith.storage.keeping import Kept

MAX_TEXT_BYTES = 65_536
NUM_EXAMPLES = 5
_ANSWERS_AT_ONCE = 1000
_FOUND = (Answer.id, Answer.row_id, Answer.run_id, Answer.position, Answer.state, Answer.text)
_foreseen: Kept[BulkPreview] = Kept()


class FoundAnswer(NamedTuple):
    """What a rule looks at; whole answers of a large run would take ten times as long to load."""

    id: str
    row_id: str
    run_id: str
    position: int
    state: str
    text: str


def mark(session: Session, answer_id: str, request: MarkRequest, *, by: Person, via: str = "page") -> Mark:
    """Say something about an answer; saying it twice changes nothing.

    Raises AnswerNotFound, MarkNotPossible, StarConflict, NoMarkToUndo.
    """
    if request.kind is MarkKind.undo:
        return undo(session, answer_id, by=by, via=via, expected_mark_id=request.expected_mark_id)
    answer = _answer(session, answer_id, by)
    newest = queries.state_of(session, [answer.id]).get(answer.id)
    _check_nothing_happened(session, newest, request.expected_mark_id)
    before = _state(newest)
    after = _apply(answer, before, request)
    if newest is not None and after == before:
        return newest
    return _add(session, answer, request.kind, after, by=by, via=via)


def undo(
    session: Session, answer_id: str, *, by: Person, via: str = "page", expected_mark_id: int | None = None
) -> Mark:
    """Take back the newest mark that is still in force. Raises NoMarkToUndo, StarConflict."""
    answer = _answer(session, answer_id, by)
    in_force: list[Mark] = []
    newest = None
    for newest in queries.history(session, answer.id):
        if newest.kind != MarkKind.undo.value:
            in_force.append(newest)
        elif in_force:
            in_force.pop()
    _check_nothing_happened(session, newest, expected_mark_id)
    if not in_force:
        raise NoMarkToUndo("This answer has no mark that could be taken back.")
    state = _state(in_force[-2] if len(in_force) > 1 else None)
    undone = _add(session, answer, MarkKind.undo, state, by=by, via=via)
    undone.undone_id = in_force[-1].id
    session.flush()
    return undone


def bulk_preview(session: Session, request: BulkRequest, *, by: Person) -> BulkPreview:
    """What the rule would touch; kept until an answer comes or is marked. Raises RunNotFound, ColumnUnknown."""
    run = run_queries.one(session, request.run_id, domain=by.domain)
    return _foreseen.get(
        session,
        repr(request),
        stand=lambda: (queries.stand_of_marks(session, run.id), run_queries.progress(session, run.id)),
        make=lambda: _bulk(session, request, by, None),
    )


def bulk_apply(session: Session, request: BulkRequest, *, by: Person) -> BulkPreview:
    """Apply the rule; says what it has touched. Applied again it touches nothing. Raises RunNotFound, ColumnUnknown."""
    return _bulk(session, request, by, lambda marks: session.execute(insert(Mark), marks))


def undo_bulk(session: Session, run_id: str, *, by: Person) -> int:
    """Take back what this person's last rule over the run marked; returns how many answers that were.

    What somebody has marked since then stays. Raises RunNotFound, NoMarkToUndo.
    """
    run = run_queries.one(session, run_id, domain=by.domain)
    query = select(Mark.id, *_FOUND).join(Answer, Answer.id == Mark.answer_id)
    found = session.execute(query.where(queries.is_of_newest_bulk(run.id, by.id))).all()
    if not found:
        raise NoMarkToUndo("No rule of yours has marked answers of this run that could be taken back.")
    at = clock.now()
    undone = [
        mark_values(answer, MarkKind.undo, MarkState(), by=by, via=queries.BULK, at=at) | {"undone_id": mark_id}
        for mark_id, answer in ((each[0], FoundAnswer(*each[1:])) for each in found)
    ]
    session.execute(insert(Mark), undone)
    return len(undone)


def mark_values(
    answer: Answer | FoundAnswer, kind: MarkKind, state: MarkState, *, by: Person, via: str, at: datetime | None = None
) -> dict[str, Any]:
    """A mark as it is inserted, for marks in large numbers; those of one rule have the same time `at`."""
    return {
        "answer_id": answer.id,
        "row_id": answer.row_id,
        "run_id": answer.run_id,
        "kind": kind.value,
        **asdict(state),
        "via": via,
        "domain": by.domain,
        "created_by": by.id,
        "created_at": at or clock.now(),
    }


def _apply(answer: Answer, before: MarkState, request: MarkRequest) -> MarkState:
    text = _checked_text(request.text)
    if request.kind is MarkKind.star:
        if answer.state == AnswerState.FAILED.value and before.correction is None:
            raise MarkNotPossible("The model gave no answer here, so there is nothing to star.")
        return MarkState(True, False, before.correction, before.note)
    if request.kind is MarkKind.unstar:
        return MarkState(False, False, before.correction, before.note)
    if request.kind is MarkKind.bad:
        return MarkState(False, True, before.correction, before.note)
    if request.kind is MarkKind.correction:
        if text is None:
            raise MarkNotPossible("A correction needs a text: what the model should have said.")
        return MarkState(True, False, text, before.note)
    return MarkState(before.is_star, before.is_bad, before.correction, text)


def _checked_text(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    if len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
        raise MarkNotPossible(f"The text is longer than {MAX_TEXT_BYTES:,} bytes.", hint="Make it shorter.")
    if "\x00" in text or text.encode("utf-8", "replace").decode() != text:
        raise MarkNotPossible("The text holds a character that is no text.", hint="Take it out.")
    return text


def _answer(session: Session, answer_id: str, by: Person) -> Answer:
    """The answer, held against others who would mark it in the same moment."""
    answer = session.get(Answer, answer_id, with_for_update=True)
    if answer is None or session.get_one(Run, answer.run_id).domain != by.domain:
        raise AnswerNotFound(f"There is no answer {answer_id}.")
    return answer


def _state(mark: Mark | None) -> MarkState:
    return MarkState() if mark is None else MarkState(mark.is_star, mark.is_bad, mark.correction, mark.note)


def _check_nothing_happened(session: Session, newest: Mark | None, expected_mark_id: int | None) -> None:
    if expected_mark_id is None or (newest.id if newest is not None else 0) == expected_mark_id:
        return
    if newest is None:
        raise StarConflict("The mark that you saw is not there.")
    person = people.one(session, newest.created_by)
    who = person.name if person is not None else "Somebody"
    at = newest.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    raise StarConflict(f"{who} marked this answer ({newest.kind}) on {at}, after you had opened it.")


def _add(session: Session, answer: Answer, kind: MarkKind, state: MarkState, *, by: Person, via: str) -> Mark:
    added = Mark(**mark_values(answer, kind, state, by=by, via=via))
    session.add(added)
    session.flush()
    return added


def _bulk(
    session: Session, request: BulkRequest, by: Person, write: Callable[[list[dict[str, Any]]], object] | None
) -> BulkPreview:
    run = run_queries.one(session, request.run_id, domain=by.domain)
    columns = data_queries.version(session, run.dataset_version_id or "", must_be_complete=False).columns
    if request.column not in columns:
        raise ColumnUnknown(f"The rows have no column {request.column!r}. They have: {', '.join(columns)}.")
    at = clock.now()
    num = dict.fromkeys(("touched", "marked", "empty", "other"), 0)
    examples: list[BulkExample] = []
    for answers in _pages(session, request):
        marked = queries.marked(session, [answer.id for answer, _ in answers])
        marks = []
        for answer, content in answers:
            expected = str(content.get(request.column, ""))
            verdict = "marked" if answer.id in marked else _judge(request.rule, answer, expected)
            num[verdict] += 1
            if verdict == "touched":
                if write is not None:
                    marks.append(
                        mark_values(answer, *_bulk_mark(request.rule, expected), by=by, via=queries.BULK, at=at)
                    )
                if len(examples) < NUM_EXAMPLES:
                    examples.append(BulkExample(answer.id, answer.position, answer.text, expected))
        if write is not None and marks:
            write(marks)
    return BulkPreview(
        rule=request.rule,
        column=request.column,
        num_touched=num["touched"],
        num_marked_already=num["marked"],
        num_without_expected=num["empty"],
        num_not_matching=num["other"],
        examples=tuple(examples),
    )


def _pages(session: Session, request: BulkRequest) -> Iterator[list[tuple[FoundAnswer, Mapping[str, Any]]]]:
    """All at first, and marked page by page: what is marked here may leave the filter, never the page behind it."""
    after = 0
    where = queries.conditions(session, request.run_id, AnswerQuery(filter=request.filter, search=request.search))
    while True:
        query = select(*_FOUND, Row.content).join(Row, Row.id == Answer.row_id).where(*where, Answer.position > after)
        found = session.execute(query.order_by(Answer.position).limit(_ANSWERS_AT_ONCE))
        answers = [(FoundAnswer(*values), content) for *values, content in found]
        if not answers:
            return
        yield answers
        after = answers[-1][0].position


def _judge(rule: BulkRule, answer: FoundAnswer, expected: str) -> str:
    if not expected.strip():
        return "empty"
    is_answered = answer.state == AnswerState.ANSWERED.value
    is_right = is_answered and is_equal(answer.text, expected)
    return "touched" if is_right == (rule is BulkRule.star_equal) else "other"


def _bulk_mark(rule: BulkRule, expected: str) -> tuple[MarkKind, MarkState]:
    if rule is BulkRule.star_equal:
        return MarkKind.star, MarkState(is_star=True)
    return MarkKind.correction, MarkState(is_star=True, correction=expected)
