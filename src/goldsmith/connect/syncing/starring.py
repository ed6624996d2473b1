"""Good answers of a source become a run of answers with stars, and what people said about earlier ones holds.

An answer that nobody has touched follows the source. One that somebody marked or corrected by hand keeps that mark as
long as its row is the same; where the row has changed, the new one gets no star before somebody has decided.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from goldsmith.connect.syncing import queries
from goldsmith.connect.syncing.tables import RowOrigin, SourceConflict, SourceConnection, SourceSync
from goldsmith.connect.syncing.types import ConflictState
from goldsmith.data import queries as data
from goldsmith.data.tables import Row
from goldsmith.people.types import Person
from goldsmith.run import prompts
from goldsmith.run import queries as runs
from goldsmith.run.answers import write_answers
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import AnswerState, PromptDraft, SentAnswer
from goldsmith.stars import importing
from goldsmith.stars.service import mark_values
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import MarkKind, MarkState
from goldsmith.storage import clock

VIA = "source"
ROWS_AT_ONCE = queries.IDS_AT_ONCE
Watch = tuple[Callable[[], bool], Callable[[int], None]]
"""Whether to stop, and to whom it is said how many rows are done."""
Transaction = Callable[[], AbstractContextManager[Session]]


def star(transaction: Transaction, connection_id: str, version_id: str, *, by: Person, watch: Watch) -> str | None:
    """The run of a version's good answers; goes on where it was. None where no column holds any, or when asked to stop.

    Raises NoAnswerColumn where it is not clear which column asks, ColumnUnknown, PromptVariableUnknown.
    """
    with transaction() as session:
        version = data.version(session, version_id)
        if version.answer_column is None:
            return None
        connection = session.get_one(SourceConnection, connection_id)
        run = importing.begin(session, version_id, _wording(session, connection, by), by=by)
        after = importing.last_position(session, run.id)
    should_stop, report = watch
    while not should_stop():
        report(after)
        with transaction() as session:
            rows = data.rows(session, version_id, after=after, limit=ROWS_AT_ONCE)
            if rows:
                _add(session, run, rows, version.answer_column, by)
                after = rows[-1].position
            elif not _take_old_stars(session, connection_id, run.id, by):
                session.get_one(Run, run.id).num_rows = version.num_rows
                return run.id
    return None


def note_conflicts(session: Session, connection_id: str, sync: SourceSync, version_id: str) -> int:
    """Write down which rows changed although somebody had marked them; returns how many are new."""
    found = queries.marked_otherwise(session, connection_id)
    new_rows = queries.rows_of_version(session, version_id, [item.source_id for _, item in found])
    num = 0
    for origin, item in found:
        new_row_id = new_rows.get(item.source_id)
        if new_row_id is None:
            continue
        conflict = queries.open_conflict(session, connection_id, item.source_id)
        if conflict is None:
            conflict = SourceConflict(
                connection_id=connection_id, source_id=item.source_id, state=ConflictState.OPEN.value
            )
            session.add(conflict)
            num += 1
        conflict.sync_id, conflict.row_id, conflict.new_row_id = sync.id, origin.row_id, new_row_id
        conflict.content_hash = item.content_hash
    sync.num_conflicts += num
    session.flush()
    return num


def decide(
    session: Session, connection: SourceConnection, conflict_id: int, to: ConflictState, *, by: Person
) -> SourceConflict:
    """Keep what was said here, or take the source's new row in its place. Said twice it changes nothing."""
    found = queries.conflict(session, connection.id, conflict_id)
    if found.state != ConflictState.OPEN.value or to is ConflictState.OPEN:
        return found
    found.state, found.decided_by, found.decided_at = to.value, by.id, clock.now()
    if to is ConflictState.TAKEN:
        for mark in queries.marks_in_force(session, found):
            _mark(session, session.get_one(Answer, mark.answer_id), MarkKind.unstar, MarkState(note=mark.note), by)
        for answer in queries.imported_answers(session, found.new_row_id):
            _mark(session, answer, MarkKind.star, MarkState(is_star=True), by)
    session.flush()
    return found


def _mark(session: Session, answer: Answer, kind: MarkKind, state: MarkState, by: Person) -> None:
    session.execute(insert(Mark), [mark_values(answer, kind, state, by=by, via="page")])


def _wording(session: Session, connection: SourceConnection, by: Person) -> str | None:
    """The prompt of the column that asks, where somebody named it; else it is found by its name."""
    if connection.question_column is None:
        return None
    draft = PromptDraft(f"{{{{{connection.question_column}}}}}")
    return prompts.save_prompt(session, f"As read from {connection.name}", draft, by=by).id


def _add(session: Session, run: Run, rows: Sequence[Row], answer_column: str, by: Person) -> None:
    sent = [
        SentAnswer(row.id, row.position, AnswerState.ANSWERED, clock.now(), text=text, finish_reason="stop")
        for row in rows
        if (text := str(row.content.get(answer_column, ""))).strip()
    ]
    wording = runs.prompt_version(session, run.prompt_version_id)
    write_answers(session, run.id, sent, schema=wording.answer_schema)
    answers = runs.by_rows(session, run.id, [answer.row_id for answer in sent])
    origins = {row_id: origin for row_id, (origin, _) in queries.origins(session, list(answers)).items()}
    marks = _marks(session, answers.values(), origins, by)
    if marks:
        session.execute(insert(Mark), marks)


def _marks(session: Session, answers: Any, origins: dict[str, RowOrigin], by: Person) -> list[dict[str, Any]]:
    ids = [origin.source_id for origin in origins.values()]
    connection_id = next(iter(origins.values())).connection_id if origins else ""
    said = queries.marks_by_hand(session, connection_id, ids)
    made = []
    for answer in answers:
        origin = origins[answer.row_id]
        mark, earlier = said.get(origin.source_id, (None, None))
        if mark is None or earlier is None:
            made.append(mark_values(answer, MarkKind.star, MarkState(is_star=True), by=by, via=VIA))
        elif earlier.content_hash == origin.content_hash:
            state = MarkState(mark.is_star, mark.is_bad, mark.correction, mark.note)
            person = Person(mark.created_by, "", mark.domain)
            made.append(mark_values(answer, MarkKind(mark.kind), state, by=person, via=mark.via))
    return made


def _take_old_stars(session: Session, connection_id: str, run_id: str, by: Person) -> int:
    """Answers of earlier versions that nobody touched lose their star: the newest version has it, or the source not."""
    found = queries.old_stars(session, connection_id, run_id, limit=ROWS_AT_ONCE)
    made = []
    for mark in found:
        answer = session.get_one(Answer, mark.answer_id)
        made.append(mark_values(answer, MarkKind.unstar, MarkState(note=mark.note), by=by, via=VIA))
    if made:
        session.execute(insert(Mark), made)
        session.flush()
    return len(made)
