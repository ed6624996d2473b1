"""What the gateways counted, by the minute: kept, added up, and forgotten after some days.

Every process that counts writes rows of its own, so two of them never wait for each other.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from goldsmith.serve.counts import NAMES, Counts, TrafficKey
from goldsmith.serve.tables import TrafficMinute

PRUNE_EVERY_MINUTES = 60


def store(session: Session, writer: str, counted: Mapping[TrafficKey, Counts]) -> None:
    """Add what one process counted to its rows."""
    for key, counts in counted.items():
        own = {**key._asdict(), "writer": writer, "minute": moment_of(key.minute)}
        sums = {name: getattr(TrafficMinute, name) + getattr(counts, name) for name in NAMES}
        query = update(TrafficMinute).where(*(getattr(TrafficMinute, name) == value for name, value in own.items()))
        found = session.execute(query.values(**sums).execution_options(synchronize_session=False))
        if found.rowcount == 0:  # type: ignore[attr-defined]  # the result of an UPDATE has it
            session.add(TrafficMinute(**own, **{name: getattr(counts, name) for name in NAMES}))
            session.flush()


def prune(session: Session, *, before: datetime) -> None:
    """Forget what is older."""
    session.execute(delete(TrafficMinute).where(TrafficMinute.minute < before))


def by_model(
    session: Session, *, domain: str, alias: str, since: datetime | None = None, from_version: int = 0
) -> dict[str, Counts]:
    """The sums of every model behind an alias, since a moment or since a version of it."""
    query = select(TrafficMinute.model_id, *(func.sum(getattr(TrafficMinute, name)).label(name) for name in NAMES))
    query = query.where(TrafficMinute.domain == domain, TrafficMinute.alias == alias)
    query = query.where(TrafficMinute.version >= from_version)
    if since is not None:
        query = query.where(TrafficMinute.minute >= since)
    rows = session.execute(query.group_by(TrafficMinute.model_id).order_by(TrafficMinute.model_id)).mappings()
    return {row["model_id"]: Counts(**{name: _number(name, row[name]) for name in NAMES}) for row in rows}


def moment_of(minute: int) -> datetime:
    """The beginning of a minute that is counted from 1970."""
    return datetime.fromtimestamp(minute * 60, UTC)


def is_time_to_prune(minute: int, last: int) -> bool:
    """Whether it is an hour since old rows were last forgotten."""
    return minute - last >= PRUNE_EVERY_MINUTES


def oldest(now: datetime, days: int) -> datetime:
    """What is older than this is forgotten."""
    return now - timedelta(days=days)


def _number(name: str, value: Any) -> Any:
    """Databases add whole numbers up to decimals."""
    number = float(value or 0)
    return int(number) if isinstance(getattr(Counts(), name), int) else number
