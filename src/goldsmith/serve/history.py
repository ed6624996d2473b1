"""The history of deployments: appends to it, and finds in it what an alias was before. Nothing is ever taken out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from goldsmith.people.types import Person
from goldsmith.serve import queries
from goldsmith.serve.tables import DeploymentHistory
from goldsmith.serve.types import HistoryAction, Part, parts_of
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id

NUM_SEARCHED = 1000


@dataclass(frozen=True)
class Before:
    """What an alias was before its last change that is still in force; `seq` is that change."""

    seq: int
    parts: tuple[Part, ...]


def record(
    session: Session,
    action: HistoryAction,
    model_id: str,
    *,
    by: Person,
    config: Mapping[str, Any],
    previous_model_id: str | None = None,
) -> DeploymentHistory:
    """Append to the history; what `config` says under `why` are the notes.

    `seq` has no gaps, because whoever writes is alone with it: two who append at once wait for each other.
    """
    session.flush()
    if session.get_bind().dialect.name == "postgresql":  # on SQLite a writing transaction is alone anyway
        session.execute(text(f"LOCK TABLE {DeploymentHistory.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))
    entry = DeploymentHistory(
        id=new_id(Prefix.HISTORY),
        seq=queries.last_seq(session) + 1,
        model_id=model_id,
        philosopher=by.name,
        domain=by.domain,
        action=action.value,
        previous_model_id=previous_model_id,
        deployment_config={name: value for name, value in config.items() if name != "why"},
        notes=str(config.get("why", "")),
        deployed_by=by.id,
        deployed_at=clock.now(),
    )
    session.add(entry)
    session.flush()
    return entry


def before(session: Session, name: str, *, domain: str) -> Before | None:
    """What an alias was before; None when it was nothing, or was never set."""
    return last_step(queries.alias_history(session, name, domain=domain, limit=NUM_SEARCHED))


def last_step(entries: Sequence[DeploymentHistory]) -> Before | None:
    """The newest change among these, newest first, that no roll-back has undone, with what was there before it."""
    undone_from: int | None = None
    num_undone = 0  # by roll-backs that do not say what they undid, as they were written at first
    for entry in entries:
        if undone_from is not None and entry.seq >= undone_from:
            continue
        if entry.action == HistoryAction.ROLLBACK.value:
            undoes = entry.deployment_config.get("undoes")
            undone_from, num_undone = (undoes, num_undone) if undoes is not None else (None, num_undone + 1)
        elif num_undone:
            num_undone -= 1
        else:
            parts = _parts_before(entry)
            return Before(entry.seq, parts) if parts else None
    return None


def _parts_before(entry: DeploymentHistory) -> tuple[Part, ...]:
    if "from" in entry.deployment_config:
        return parts_of(entry.deployment_config["from"])
    return (Part(entry.previous_model_id, 1.0),) if entry.previous_model_id else ()
