"""Which arm got which row right: worked out once for a comparison with a verdict, and kept while the verdict stands.

A page shows ten rows and counts all of them; measuring thousands of answers anew for each look would take a second.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from goldsmith.compare import asked, queries
from goldsmith.compare.measures import is_right
from goldsmith.compare.outcome import measured
from goldsmith.compare.tables import ModelComparison
from goldsmith.storage.keeping import Kept


@dataclass(frozen=True)
class Standing:
    """One row, and the names of the arms that got it right."""

    row_id: str
    position: int
    right: frozenset[str]


_kept: Kept[tuple[Standing, ...]] = Kept()


def standings(session: Session, comparison: ModelComparison) -> tuple[Standing, ...]:
    """Every row in its order; none before there is a verdict."""
    if comparison.verdict is None:
        return ()
    stand = (comparison.completed_at, comparison.verdict)
    return _kept.get(session, comparison.id, stand=lambda: stand, make=lambda: _work_out(session, comparison))


def _work_out(session: Session, comparison: ModelComparison) -> tuple[Standing, ...]:
    arms = queries.arms(session, comparison.id)
    answers = queries.answers(session, [arm.run_id for arm in arms])
    return tuple(
        Standing(
            row.row_id,
            row.position,
            frozenset(
                arm.name for arm in arms if is_right(measured(answers.get((arm.run_id, row.row_id))), row.expected)
            ),
        )
        for row in asked.of_comparison(session, comparison)
    )
