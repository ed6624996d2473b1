"""How far runs are, without counting again what cannot have changed. Called by `queries`.

Answers are only ever added, at most one a row, and only a failed one is ever replaced. So a run that has an answer for
every row has that many for good, and what is counted among its answers holds while as many of them have failed.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, func, literal, select
from sqlalchemy.orm import Session

from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import CUT_OFF, AnswerState, RunProgress
from goldsmith.storage.keeping import Kept

Stand = tuple[int, int]
"""Differs as soon as an answer of the run is another: how many there are, and how many of them failed."""
_whole: Kept[int] = Kept(limit=1_000)
_few: Kept[tuple[int, int]] = Kept(limit=1_000)


def is_failed() -> ColumnElement[bool]:
    """An answer that did not come; the state stands in the statement itself, as an index of some answers wants it."""
    return Answer.state == literal(AnswerState.FAILED.value, literal_execute=True)


def is_cut_off() -> ColumnElement[bool]:
    """An answer that the limit of tokens ended."""
    is_at_limit = Answer.finish_reason == literal(CUT_OFF, literal_execute=True)
    return and_(is_at_limit, Answer.state == AnswerState.ANSWERED.value)


def progress_of(session: Session, run_ids: Sequence[str]) -> dict[str, RunProgress]:
    """How far runs are, with at most five queries whatever their number, each over an index alone."""
    num_rows = _num_rows(session, run_ids)
    stands = _stands(session, run_ids, num_rows)
    few = _few_of(session, stands)
    return {
        run_id: RunProgress(num_rows.get(run_id, 0), num_all - num_failed, num_failed, *few[run_id])
        for run_id, (num_all, num_failed) in stands.items()
    }


def stand(session: Session, run_id: str) -> Stand:
    """How many answers of a run there are, and how many of them failed."""
    return _stands(session, [run_id], _num_rows(session, [run_id]))[run_id]


def num_answers(session: Session, run_id: str) -> int:
    """How many answers of a run are there, failed ones too."""
    return _num_answers(session, [run_id], _num_rows(session, [run_id])).get(run_id, 0)


def _few_of(session: Session, stands: Mapping[str, Stand]) -> dict[str, tuple[int, int]]:
    """Answers that are cut off, and not as asked."""
    known = {run_id: _few.known(session, run_id, stand=stand) for run_id, stand in stands.items()}
    found = {run_id: few for run_id, few in known.items() if few is not None}
    if new := [run_id for run_id in stands if run_id not in found]:
        cut_off = _counted(session, new, is_cut_off())
        invalid = _counted(session, new, Answer.parse_error.is_not(None))
        for run_id in new:
            found[run_id] = (cut_off.get(run_id, 0), invalid.get(run_id, 0))
            _few.keep(session, run_id, found[run_id], stand=stands[run_id])
    return found


def _num_rows(session: Session, run_ids: Sequence[str]) -> dict[str, int]:
    return dict(session.execute(select(Run.id, Run.num_rows).where(Run.id.in_(run_ids))).all())


def _stands(session: Session, run_ids: Sequence[str], num_rows: Mapping[str, int]) -> dict[str, Stand]:
    num_all = _num_answers(session, run_ids, num_rows)
    failed = _counted(session, run_ids, is_failed())
    return {run_id: (num_all.get(run_id, 0), failed.get(run_id, 0)) for run_id in run_ids}


def _num_answers(session: Session, run_ids: Sequence[str], num_rows: Mapping[str, int]) -> dict[str, int]:
    known = {run_id: _whole.known(session, run_id, stand=num_rows.get(run_id)) for run_id in run_ids}
    counted = _counted(session, new) if (new := [run_id for run_id, num in known.items() if num is None]) else {}
    for run_id, num in counted.items():
        if num == num_rows.get(run_id):
            _whole.keep(session, run_id, num, stand=num)
    return {run_id: num for run_id, num in known.items() if num is not None} | counted


def _counted(session: Session, run_ids: Sequence[str], *conditions: ColumnElement[bool]) -> dict[str, int]:
    counted = select(Answer.run_id, func.count()).where(Answer.run_id.in_(run_ids), *conditions)
    return {run_id: int(number) for run_id, number in session.execute(counted.group_by(Answer.run_id))}
