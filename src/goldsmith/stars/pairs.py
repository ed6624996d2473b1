"""Pairs: beside a good answer one to the same question that the model should not give. Called by the export.

A correction is a pair by itself: the text that a person put in its place is better than what the model wrote. A star on
an answer as it was written makes a pair with the newest bad mark on another answer to the same row and wording.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.run.tables import Answer, Run
from goldsmith.stars import queries
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import Example


def with_rejected(session: Session, examples: Sequence[Example], *, domain: str) -> list[Example]:
    """The examples in their order, each with its bad answer where there is one."""
    bad = _marked_bad(session, {example.row_id for example in examples if example.rejected is None}, domain=domain)
    return [_paired(example, bad.get((example.row_id, example.prompt_version_id), [])) for example in examples]


def is_worse(text: str, expected: str) -> bool:
    """Whether it can stand as the bad answer: there is something in it, and it differs in more than white space."""
    return bool(text.strip()) and text.split() != expected.split()


def _paired(example: Example, bad: Sequence[tuple[str, str]]) -> Example:
    if example.rejected is not None:
        return example
    for answer_id, text in bad:
        if is_worse(text, example.expected):
            return replace(example, rejected=text, rejected_answer_id=answer_id)
    return example


def _marked_bad(session: Session, row_ids: set[str], *, domain: str) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """By row and wording the bad answers and their ids, the newest mark first."""
    query = (
        select(Mark.row_id, Run.prompt_version_id, Answer.id, Answer.text)
        .join(Answer, Answer.id == Mark.answer_id)
        .join(Run, Run.id == Mark.run_id)
        .where(Mark.domain == domain, queries.is_bad())
        .order_by(Mark.id.desc())
    )
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row_id, version_id, answer_id, text in session.execute(query.execution_options(yield_per=500)):
        if row_id in row_ids:
            found.setdefault((row_id, version_id), []).append((answer_id, text))
    return found
