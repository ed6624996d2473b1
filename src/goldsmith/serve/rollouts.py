"""The verbs of roll-outs: give a new model a growing share of an alias, watched, and take it back when it is worse.

A roll-out is a row that says how far it shall go; each step is a change of the alias. A person goes on by clicks, or
`rollout_keeper.py` does by schedule and by what `watching.py` finds.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.people.types import Person
from goldsmith.serve import aliases, queries, traffic
from goldsmith.serve.aliases import Change
from goldsmith.serve.counts import Counts
from goldsmith.serve.errors import (
    RolloutNotFound,
    RolloutNotPossible,
    RolloutOver,
    RolloutRunning,
)
from goldsmith.serve.tables import Rollout
from goldsmith.serve.types import HistoryAction, Part, Proof, RolloutState, parts_of
from goldsmith.serve.watching import LOOK_AGAIN_AT, Limits, RolloutPlan, judge
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id


def one(session: Session, rollout_id: str, *, domain: str) -> Rollout:
    """The roll-out. Raises RolloutNotFound."""
    found = session.get(Rollout, rollout_id)
    if found is None or found.domain != domain:
        raise RolloutNotFound(f"There is no roll-out {rollout_id[:100]!r}.")
    return found


def page(session: Session, alias: str, *, domain: str, limit: int = 20) -> list[Rollout]:
    """The roll-outs of an alias, newest first."""
    query = select(Rollout).where(Rollout.domain == domain, Rollout.alias == alias)
    return list(session.scalars(query.order_by(Rollout.id.desc()).limit(limit)))


def running(session: Session) -> list[Rollout]:
    """All that are under way."""
    return list(session.scalars(select(Rollout).where(Rollout.state == RolloutState.RUNNING.value)))


def locked(session: Session, rollout_id: str) -> Rollout:
    """The roll-out, for one process at a time."""
    return session.get_one(Rollout, rollout_id, with_for_update=True)


def start(session: Session, alias: str, model_id: str, plan: RolloutPlan, *, by: Person) -> Rollout:
    """Begin: the new model gets the first share, the others keep theirs of what is left.

    Raises AliasNotFound, RolloutRunning, RolloutNotPossible, DeploymentNotFound, NotProved.
    """
    row = aliases.one(session, alias, domain=by.domain)
    if running_of(session, alias, domain=by.domain) is not None:
        raise RolloutRunning(f"A roll-out of {alias} is under way.")
    ((new,), _) = aliases.checked(session, [Part(model_id, 1.0)], by=by)
    old = parts_of(row.targets)
    others = [part for part in old if part.model_id != new.model_id]
    has = sum(part.share for part in old if part.model_id == new.model_id)
    if not others or not plan.is_growing_from(has):
        raise RolloutNotPossible(
            f"The new model gets {100 * has:g} % now; a roll-out goes up from there, step by step, to 100 % at most."
        )
    rollout = Rollout(
        id=new_id(Prefix.ROLLOUT),
        domain=by.domain,
        created_by=by.id,
        alias=alias,
        model_id=new.model_id,
        old_targets=row.targets,
        stages=list(plan.stages),
        stage=0,
        hold_s=plan.hold_s,
        limits=plan.limits.to_dict(),
        state=RolloutState.RUNNING.value,
        message="",
        first_version=0,
        num_judged=0,
        stage_at=clock.now(),
    )
    session.add(rollout)
    _share_out(session, rollout, by=by, why=f"roll-out, step 1 of {len(plan.stages)}")
    rollout.first_version = aliases.one(session, alias, domain=by.domain).version
    return rollout


def go_on(session: Session, rollout: Rollout, *, by: Person, why: str = "") -> Rollout:
    """The next share; after the last one it has succeeded. Raises RolloutOver."""
    _check_running(rollout)
    if rollout.stage + 1 >= len(rollout.stages):
        return _end(session, rollout, RolloutState.SUCCEEDED, why or f"{by.name} ended it at its last step.")
    rollout.stage += 1
    rollout.stage_at = clock.now()
    words = f"roll-out, step {rollout.stage + 1} of {len(rollout.stages)}"
    _share_out(session, rollout, by=by, why=f"{words}: {why}" if why else words)
    return rollout


def roll_back(session: Session, rollout: Rollout, *, by: Person, why: str) -> Rollout:
    """Give everything back to the models that were there before. Raises RolloutOver."""
    _check_running(rollout)
    change = Change(HistoryAction.ROLLBACK, why, {"undoes": rollout.first_version, "rollout_id": rollout.id})
    aliases.write(session, rollout.alias, parts_of(rollout.old_targets), change, by=by)
    return _end(session, rollout, RolloutState.ROLLED_BACK, why)


def look(session: Session, rollout: Rollout, now: datetime, *, by: Person) -> bool:
    """Look how the new model does, and roll back or go on; returns whether the alias was changed."""
    trouble = _trouble(session, rollout)
    old, new = counts_of(session, rollout)
    limits = Limits(**rollout.limits)
    found = judge(old, new, limits)
    # Concluded anew when a tenth more requests came, so that chance gets few tries.
    is_due = new.num_requests >= rollout.num_judged * LOOK_AGAIN_AT
    if trouble:
        roll_back(session, rollout, by=by, why=trouble)
        return True
    if found.is_enough and is_due:
        rollout.num_judged = new.num_requests
        if found.worse:
            roll_back(session, rollout, by=by, why=f"Rolled back by itself. {found.says}")
            return True
    has_waited = rollout.hold_s is not None and now >= rollout.stage_at + timedelta(seconds=rollout.hold_s)
    if has_waited and found.is_enough:
        is_last = rollout.stage + 1 >= len(rollout.stages)
        go_on(session, rollout, by=by, why=found.says)
        return not is_last
    if rollout.message != found.says:
        rollout.message = found.says
    return False


def counts_of(session: Session, rollout: Rollout) -> tuple[Counts, Counts]:
    """What was counted since it began: of the old models together, and of the new one."""
    found = traffic.by_model(session, domain=rollout.domain, alias=rollout.alias, from_version=rollout.first_version)
    old = Counts()
    for part in parts_of(rollout.old_targets):
        if part.model_id != rollout.model_id:
            old.add(found.get(part.model_id, Counts()))
    return old, found.get(rollout.model_id, Counts())


def parts_at(old: Sequence[Part], model_id: str, share: float) -> tuple[Part, ...]:
    """The alias with this share for the new model; the others keep their proportions."""
    others = [part for part in old if part.model_id != model_id]
    total = sum(part.share for part in others)
    left = round(1 - share, aliases.DIGITS)
    kept = [Part(part.model_id, round(left * part.share / total, aliases.DIGITS)) for part in others]
    return (*(part for part in kept if part.share > 0), Part(model_id, share))


def running_of(session: Session, alias: str, *, domain: str) -> Rollout | None:
    """The roll-out of this alias that is under way."""
    return next(
        (each for each in page(session, alias, domain=domain) if each.state == RolloutState.RUNNING.value), None
    )


def current(session: Session, alias: str, *, domain: str) -> Rollout:
    """The roll-out of this alias that is under way. Raises RolloutNotFound."""
    found = running_of(session, alias, domain=domain)
    if found is None:
        raise RolloutNotFound(f"No roll-out of {alias[:100]!r} is under way.")
    return found


def _share_out(session: Session, rollout: Rollout, *, by: Person, why: str) -> None:
    parts = parts_at(parts_of(rollout.old_targets), rollout.model_id, rollout.stages[rollout.stage])
    change = Change(HistoryAction.DEPLOY, why, {"rollout_id": rollout.id})
    aliases.write(session, rollout.alias, parts, change, by=by)


def _trouble(session: Session, rollout: Rollout) -> str:
    """What makes the new model impossible, whatever its traffic says."""
    deployment = queries.deployment_of(session, rollout.model_id)
    if deployment.proof == Proof.REFUSED.value:
        return f"Rolled back by itself: its receipt is red. {deployment.message}"
    return "" if deployment.is_wanted else "Rolled back by itself: the new model was taken off its engine."


def _check_running(rollout: Rollout) -> None:
    if rollout.state != RolloutState.RUNNING.value:
        raise RolloutOver(f"The roll-out has {rollout.state.replace('_', ' ')}: {rollout.message}")


def _end(session: Session, rollout: Rollout, state: RolloutState, message: str) -> Rollout:
    rollout.state, rollout.message, rollout.ended_at = state.value, message, clock.now()
    session.flush()
    return rollout
