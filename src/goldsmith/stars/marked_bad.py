"""Answers that were marked bad and stand beside no star as its pair: what a model should not say. Called by the export.

Whoever learns from single marks learns from them too. Their rows get a side as those of stars do, once and for ever, so
that a row that is starred later is not in an exam after a model has seen it.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from goldsmith.stars import sides
from goldsmith.stars.pairs import is_worse
from goldsmith.stars.types import Example, ExportRequest, Side
from goldsmith.storage.text import plain

STRATUM = "marked bad"
"""Of all of them: what they say is no class of answers that an exam should have its share of."""


def to_learn(
    session: Session,
    found: Sequence[Example],
    request: ExportRequest,
    *,
    domain: str,
    learn: Sequence[Example],
    exam: Sequence[Example],
) -> list[Example]:
    """Those of the bad answers that a training may learn from beside these stars, in an order of their own."""
    in_exam = {question(example) for example in exam}
    usable = [
        example
        for example in _beside(found, learn)
        if question(example) not in in_exam and example.run_id != request.exam_run_id
    ]
    wanted = {example.row_key: Side.learn for example in usable} if request.exam_run_id is not None else {}
    strata = {example.row_key: STRATUM for example in usable}
    placed = sides.place(session, usable, strata, share=request.exam_share, domain=domain, wanted=wanted)
    return sorted(
        (example for example in usable if placed[example.row_key] is Side.learn),
        key=lambda example: (example.row_key, example.answer_id),
    )


def question(example: Example) -> tuple[str, ...]:
    """What was asked, so that equal questions are equal whatever row they come from."""
    return tuple(plain(turn["content"]) for turn in example.asked)


def _beside(found: Sequence[Example], learn: Sequence[Example]) -> list[Example]:
    """Each text once to each question; none that stands there as a pair, or says what a star says is good."""
    said: dict[tuple[str, ...], list[str]] = {}
    for example in learn:
        said.setdefault(question(example), []).extend(filter(None, (example.expected, example.rejected)))
    usable = []
    for example in found:
        before = said.setdefault(question(example), [])
        if all(is_worse(example.expected, text) for text in before):
            before.append(example.expected)
            usable.append(example)
    return usable
