"""Keeps which row is on which side: decided once, when its star is first exported, and never changed."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from goldsmith.stars.split import decide_sides
from goldsmith.stars.tables import ExamSide
from goldsmith.stars.types import Candidate, Example, Side, SideCounts
from goldsmith.storage import clock

_KEYS_AT_ONCE = 500
_NUM_TRIES = 3


def place(
    session: Session,
    examples: Sequence[Example],
    strata: Mapping[str, str],
    *,
    share: float,
    domain: str,
    wanted: Mapping[str, Side] = MappingProxyType({}),
) -> dict[str, Side]:
    """The side of each example's row, by row key; new ones are stored. `wanted` goes before the share, for new ones."""
    candidates = [Candidate(example.row_key, strata[example.row_key]) for example in examples]
    row_ids = {example.row_key: example.row_id for example in examples}
    for tries_left in reversed(range(_NUM_TRIES)):
        known = _known(session, list(row_ids), domain)
        fixed = {key: side for key, side in wanted.items() if key in row_ids and key not in known}
        decided = decide_sides(candidates, {**known, **fixed}, _counts(session, domain), share=share)
        new = {**fixed, **decided}
        rows = [
            {
                "domain": domain,
                "row_key": key,
                "side": side.value,
                "stratum": strata[key],
                "row_id": row_ids[key],
                "decided_at": clock.now(),
            }
            for key, side in new.items()
        ]
        try:
            with session.begin_nested():
                if rows:
                    session.execute(insert(ExamSide), rows)
        except IntegrityError:  # somebody else exported in the same moment; theirs holds
            if tries_left == 0:
                raise
            continue
        return {**known, **new}
    raise AssertionError("unreachable")


def _known(session: Session, keys: Sequence[str], domain: str) -> dict[str, Side]:
    known: dict[str, Side] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        query = select(ExamSide.row_key, ExamSide.side).where(ExamSide.domain == domain, ExamSide.row_key.in_(some))
        known.update({key: Side(side) for key, side in session.execute(query)})
    return known


def _counts(session: Session, domain: str) -> dict[str, SideCounts]:
    query = select(ExamSide.stratum, ExamSide.side, func.count()).where(ExamSide.domain == domain)
    numbers: dict[str, dict[str, int]] = {}
    for stratum, side, count in session.execute(query.group_by(ExamSide.stratum, ExamSide.side)):
        numbers.setdefault(stratum, {})[side] = int(count)
    return {name: SideCounts(found.get("learn", 0), found.get("exam", 0)) for name, found in numbers.items()}
