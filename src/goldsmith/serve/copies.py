"""Keeps the copies of an engine as the engine itself is wanted: as many as were asked for, with the same models.

A copy is an engine of its own, with deployments of its own that are loaded and proved like all others; requests go to
the least busy one. Attached engines with one base model are such copies too, but how many there are is their owner's
matter. Called by the keeper at each tick. `differences` is pure; `even_out` writes what it found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from goldsmith.people.types import Person
from goldsmith.serve import queries, service
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.serve.types import EngineKind, EngineState, Proof


@dataclass(frozen=True)
class MissingCopy:
    """One more copy of this engine is to be made."""

    engine_id: str
    number: int


@dataclass(frozen=True)
class CopyWish:
    """Whether this copy should run."""

    engine_id: str
    is_wanted: bool


@dataclass(frozen=True)
class ModelWish:
    """Whether this model should be on this copy."""

    engine_id: str
    model_id: str
    is_wanted: bool


Difference = MissingCopy | CopyWish | ModelWish


def differences(engines: Sequence[Engine], deployments: Sequence[Deployment]) -> list[Difference]:
    """What copies lack, or have too much."""
    found: list[Difference] = []
    on: dict[str, dict[str, Deployment]] = {}
    for deployment in deployments:
        on.setdefault(deployment.engine_id, {})[deployment.model_id] = deployment
    for engine in engines:
        own = (one for one in engines if one.copy_of == engine.id)
        copies = sorted(own, key=lambda one: (not one.is_wanted, one.id))  # what was stopped stays so, if one may
        if copies or engine.num_copies > 1:
            found += _of_one(engine, copies, on)
    return found


def _of_one(
    engine: Engine, copies: Sequence[Engine], on: Mapping[str, Mapping[str, Deployment]]
) -> Iterator[Difference]:
    if engine.kind == EngineKind.ATTACHED.value:
        for copy in copies:
            if copy.is_wanted:
                yield from _models(copy, on.get(engine.id, {}), on.get(copy.id, {}))
        return
    num_wanted = engine.num_copies - 1 if engine.is_wanted else 0
    for number in range(len(copies), num_wanted):
        yield MissingCopy(engine.id, number + 2)
    for number, copy in enumerate(copies):
        is_wanted = number < num_wanted
        if copy.is_wanted != is_wanted:
            yield CopyWish(copy.id, is_wanted)
        if is_wanted:
            yield from _models(copy, on.get(engine.id, {}), on.get(copy.id, {}))


def _models(copy: Engine, there: Mapping[str, Deployment], here: Mapping[str, Deployment]) -> Iterator[ModelWish]:
    for model_id, deployment in there.items():
        own = here.get(model_id)
        is_refused = own is not None and own.proof == Proof.REFUSED.value
        is_here = own is not None and own.is_wanted
        if deployment.is_wanted and not is_here and not is_refused:
            yield ModelWish(copy.id, model_id, is_wanted=True)
        elif not deployment.is_wanted and (is_here or is_refused):
            yield ModelWish(copy.id, model_id, is_wanted=False)
    for model_id in here.keys() - there.keys():
        if here[model_id].is_wanted:
            yield ModelWish(copy.id, model_id, is_wanted=False)


def even_out(session: Session, found: Sequence[Difference]) -> None:
    """Write what makes the differences go away. What changed meanwhile is seen at the next tick."""
    for difference in found:
        match difference:
            case MissingCopy(engine_id, number):
                service.add_copy(session, queries.one(session, engine_id), number)
            case CopyWish(engine_id, is_wanted):
                copy = queries.one(session, engine_id)
                copy.is_wanted, copy.message = is_wanted, "" if is_wanted else "not needed any more"
                if copy.state == EngineState.FAILED.value:
                    copy.state, copy.num_crashes = EngineState.STOPPED.value, 0
            case ModelWish(engine_id, model_id, is_wanted):
                copy = queries.one(session, engine_id)
                by = Person(copy.created_by, "Goldsmith", copy.domain)
                service.want_on_copy(session, copy, model_id, is_wanted=is_wanted, by=by)
    session.flush()
