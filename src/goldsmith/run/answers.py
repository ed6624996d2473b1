"""Writes what came back: one answer a row; a failed one is replaced when asked again. For runs and comparisons."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from goldsmith.run import queries
from goldsmith.run.messages import parse_answer
from goldsmith.run.tables import Answer
from goldsmith.run.types import AnswerState, SentAnswer
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.storage.text import searchable


def write_answers(
    session: Session, run_id: str, answers: Sequence[SentAnswer], *, schema: Mapping[str, Any] | None
) -> None:
    """Keep the answers of a batch. A good answer that is there already is never touched."""
    known = queries.by_rows(session, run_id, [answer.row_id for answer in answers])
    new = []
    for answer in answers:
        values = _values(answer, schema)
        old = known.get(answer.row_id)
        if old is None:
            new.append({"id": new_id(Prefix.ANSWER), "run_id": run_id, **values})
        elif old.state == AnswerState.FAILED.value:
            for name, value in values.items():
                setattr(old, name, value)
    if new:
        session.execute(insert(Answer), new)
    session.flush()


def _values(answer: SentAnswer, schema: Mapping[str, Any] | None) -> dict[str, Any]:
    is_answered = answer.state is AnswerState.ANSWERED
    parsed, parse_error = parse_answer(answer.text, schema) if is_answered else (None, None)
    return {
        "row_id": answer.row_id,
        "position": answer.position,
        "state": answer.state.value,
        "text": answer.text,
        "search_text": searchable([answer.text]),
        "parsed": parsed,
        "parse_error": parse_error,
        "prompt_tokens": answer.prompt_tokens,
        "answer_tokens": answer.answer_tokens,
        "duration_ms": answer.duration_ms,
        "finish_reason": answer.finish_reason,
        "error": answer.error,
        "served_by": answer.served_by,
        "num_tries": answer.num_tries,
        "at": answer.at,
    }
