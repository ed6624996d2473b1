"""What a model answered to a few exam rows while it learned, beside the answers that are good. Used by every face."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.jobs import queries as jobs
from goldsmith.jobs.tables import JobEvent
from goldsmith.stars.tables import TrainingSetRow
from goldsmith.stars.types import Side
from goldsmith.train.tables import TrainingJob
from goldsmith.wire.events import EventKind


@dataclass(frozen=True)
class Said:
    """What the model of one step answered; step 0 is the model before it learned."""

    step: int
    text: str
    is_cut: bool
    """Whether its time or its length ended it."""
    is_good: bool
    """Whether it is the good answer, word for word."""


@dataclass(frozen=True)
class SampledRow:
    """An exam row, and what was answered to it at each check, in order."""

    row_id: str
    position: int
    asked: Sequence[Mapping[str, Any]]
    expected: str
    said: tuple[Said, ...]

    def shown(self, best_step: int | None) -> tuple[Said, ...]:
        """The first, the best and the newest: what shows that it learns."""
        ends = {self.said[0].step, self.said[-1].step, best_step}
        return tuple(each for each in self.said if each.step in ends)


def sampled_rows(session: Session, training: TrainingJob) -> list[SampledRow]:
    """The rows that were answered, as they stand in the training set. A step that was done again counts once."""
    found: dict[str, dict[int, Said]] = {}
    answers = list(_answers(jobs.events_of_kind(session, training.id, EventKind.SAMPLED.value)))
    query = select(TrainingSetRow).where(
        TrainingSetRow.training_set_id == training.training_set_id,
        TrainingSetRow.side == Side.exam.value,
        TrainingSetRow.row_id.in_({row_id for row_id, *_ in answers}),
    )
    rows = {row.row_id: row for row in session.scalars(query.order_by(TrainingSetRow.position))}
    for row_id, step, text, is_cut in answers:
        if row_id in rows:
            is_good = text.strip() == rows[row_id].expected.strip()
            found.setdefault(row_id, {})[step] = Said(step, text.strip(), is_cut, is_good)
    return [
        SampledRow(
            row.row_id,
            row.position,
            row.messages[:-1],
            row.expected,
            tuple(found[row.row_id][step] for step in sorted(found[row.row_id])),
        )
        for row in rows.values()
    ]


def _answers(events: Sequence[JobEvent]) -> Iterator[tuple[str, int, str, bool]]:
    """Row, step, text and whether it was cut, as a program reported them."""
    for event in events:
        for answer in event.data.get("answers", []):
            step = int(event.data.get("step", 0))
            yield str(answer.get("row_id")), step, str(answer.get("text", "")), bool(answer.get("is_cut"))
