"""Exam rows that a learned row nearly gives away: the exam then shows what was learned by heart.

Equal questions are never on both sides (`export.py` leaves them out), so this looks for those that are nearly equal.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from goldsmith.stars.checks import near_duplicates
from goldsmith.stars.types import Example, Finding

TITLE: Final = "Exam questions that are nearly learned"
CANNOT_SEE: Final = f"{near_duplicates.CANNOT_SEE} Equal questions need no look: they are never on both sides."


def find_between(learn: Sequence[Example], exam: Sequence[Example]) -> Iterable[Finding]:
    """Each exam row with a learned row that is nearly the same."""
    for example, other in near_duplicates.pairs([*learn, *exam], held_back=len(exam)):
        words = f"In the exam, and nearly the same question as in row {other.position}, which is learned."
        yield Finding(example.run_id, example.position, example.answer_id, words)
