"""The verbs of aliases: point a stable name to models with shares, and take it away. Each change is a row of history.

Undoing stands in `service.py`, because a model that is gone from its engine is deployed for it again.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import update
from sqlalchemy.orm import Session

from goldsmith.models import queries as models
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import history, queries
from goldsmith.serve.errors import (
    AliasExists,
    AliasNameNotUsable,
    AliasNotFound,
    DefaultStays,
    DeploymentNotFound,
    NotProved,
    SharesNotUsable,
)
from goldsmith.serve.history import Before
from goldsmith.serve.tables import Alias, Rollout
from goldsmith.serve.types import DEFAULT_ALIAS, RESERVED_NAMES, HistoryAction, Part, Proof, RolloutState, parts_of
from goldsmith.storage import clock

MAX_PARTS = 10
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
TOLERANCE = 1e-6
DIGITS = 6


@dataclass(frozen=True)
class Change:
    """What a change of an alias is called in the history, and what is written beside it."""

    action: HistoryAction
    why: str = ""
    more: Mapping[str, object] = field(default_factory=dict)


def one(session: Session, name: str, *, domain: str) -> Alias:
    """The alias. Raises AliasNotFound."""
    found = queries.alias(session, domain=domain, name=name)
    if found is None or not found.targets:
        raise AliasNotFound(f"There is no alias {name[:100]!r}.")
    return found


def point(
    session: Session, name: str, parts: Sequence[Part], *, by: Person, why: str = "", force: Collection[str] = ()
) -> Alias:
    """Have callers who use this name get these models, by their shares; makes the alias when it is new.

    Models are named by id or name. Only proved ones are taken, and those that `force` names, which is written down.
    Raises AliasNameNotUsable, SharesNotUsable, ModelNotFound, DeploymentNotFound, NotProved.
    """
    if queries.alias(session, domain=by.domain, name=name) is None:
        check_name(session, name, domain=by.domain)
    wanted, forced = checked(session, parts, by=by, force=force)
    return write(session, name, wanted, Change(HistoryAction.DEPLOY, why, {"forced": forced}), by=by)


def make(session: Session, name: str, part: Part, *, by: Person) -> Alias:
    """A new alias that leads to one model. Raises AliasExists, and what `point` raises."""
    if queries.alias(session, domain=by.domain, name=name) is not None:
        raise AliasExists(f"There is an alias called {name} already.")
    return point(session, name, [part], by=by)


def checked(
    session: Session, parts: Sequence[Part], *, by: Person, force: Collection[str] = ()
) -> tuple[tuple[Part, ...], list[str]]:
    """The parts with ids in place of names, and which of them are taken though nothing proved them."""
    if not 1 <= len(parts) <= MAX_PARTS:
        raise SharesNotUsable(f"An alias leads to 1 to {MAX_PARTS} models, not to {len(parts)}.")
    found = [models.any_model(session, part.model_id, domain=by.domain) for part in parts]
    if len({model.id for model in found}) < len(found):
        raise SharesNotUsable("A model is named twice.")
    forced = [model.id for model in found if not is_allowed(session, model, force)]
    total = sum(part.share for part in parts)
    if any(not part.share > 0 for part in parts) or abs(total - 1) > TOLERANCE:
        raise SharesNotUsable(f"The shares add up to {100 * total:.6g} %, and each must be more than 0.")
    return tuple(Part(m.id, round(part.share, DIGITS)) for m, part in zip(found, parts, strict=True)), forced


def is_allowed(session: Session, model: BaseModel | FineTunedModel, force: Collection[str]) -> bool:
    """Whether a model is proved; False: it is not, and is taken all the same. Raises DeploymentNotFound, NotProved."""
    deployment = queries.deployment_of(session, model.id)
    if not deployment.is_wanted:
        raise DeploymentNotFound(f"{model.name} is not deployed.")
    if Proof(deployment.proof).allows_default:
        return True
    if model.id in force or model.name in force:
        return False
    raise NotProved(f"{model.name} is {deployment.proof}, so callers cannot get it by another name.")


def remove(session: Session, name: str, *, by: Person, why: str = "") -> None:
    """Take a name away: callers who use it are refused from now on. Raises AliasNotFound, DefaultStays."""
    alias = one(session, name, domain=by.domain)
    if name == DEFAULT_ALIAS:
        raise DefaultStays("Callers who name no model would be left without an answer.")
    write(session, name, (), Change(HistoryAction.UNDEPLOY, why), by=by)
    session.delete(alias)
    session.flush()


def restore(session: Session, name: str, to: Before, *, by: Person, why: str = "") -> Alias:
    """Make an alias what it was before; written down as a roll-back."""
    return write(session, name, to.parts, Change(HistoryAction.ROLLBACK, why, {"undoes": to.seq}), by=by)


def write(session: Session, name: str, parts: Sequence[Part], change: Change, *, by: Person) -> Alias:
    """Write the alias and its row of history. Does nothing when nothing changes. Checks nothing."""
    alias = queries.alias(session, domain=by.domain, name=name)
    if alias is None:
        alias = Alias(domain=by.domain, name=name, targets=[], version=0, changed_by=by.id, changed_at=clock.now())
        session.add(alias)
    old = parts_of(alias.targets)
    if set(old) == set(parts):
        return alias
    subject = _gains_most(old, parts)
    previous = max((part for part in old if part.model_id != subject), key=lambda part: part.share, default=None)
    config = {
        "alias": name,
        "from": [part.to_dict() for part in old],
        "to": [part.to_dict() for part in parts],
        **{key: value for key, value in change.more.items() if value},
        "why": change.why,
    }
    previous_id = previous.model_id if previous is not None else None
    entry = history.record(session, change.action, subject, by=by, config=config, previous_model_id=previous_id)
    if "rollout_id" not in change.more:
        _stop_rollouts(session, name, by=by)
    alias.targets = [part.to_dict() for part in parts]
    alias.version = entry.seq
    alias.changed_by, alias.changed_at = by.id, entry.deployed_at
    session.flush()
    return alias


def check_name(session: Session, name: str, *, domain: str) -> None:
    """Raises AliasNameNotUsable for a name that no new alias can have."""
    if not NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise AliasNameNotUsable(f"{name[:100]!r} cannot be the name of an alias.")
    if name in queries.names_of_models(session, domain=domain):
        raise AliasNameNotUsable(f"There is a model called {name}; callers could not tell them apart.")


def _stop_rollouts(session: Session, name: str, *, by: Person) -> None:
    running = (Rollout.domain == by.domain, Rollout.alias == name, Rollout.state == RolloutState.RUNNING.value)
    said = f"{by.name} changed what {name} leads to."
    values = {"state": RolloutState.STOPPED.value, "message": said, "ended_at": clock.now()}
    session.execute(update(Rollout).where(*running).values(**values))


def _gains_most(old: Sequence[Part], new: Sequence[Part]) -> str:
    """The model that a change is about: whose share grows most; of a removal the one that had most."""
    had = {part.model_id: part.share for part in old}
    if not new:
        return max(old, key=lambda part: part.share).model_id
    return max(new, key=lambda part: part.share - had.get(part.model_id, 0.0)).model_id
