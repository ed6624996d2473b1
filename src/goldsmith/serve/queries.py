"""Every SELECT on serving: engines, deployments, aliases, receipts, history, and where names lead."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.models import queries as models
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.serve.errors import DeploymentNotFound, EngineNotFound, NoEngineForModel, ReceiptNotFound
from goldsmith.serve.tables import Alias, Deployment, DeploymentHistory, Engine, Receipt, Rollout
from goldsmith.serve.types import (
    DEFAULT_ALIAS,
    DeploymentState,
    EngineKind,
    EngineState,
    Proof,
    RolloutState,
    Route,
    RouteTable,
    Share,
    Target,
    key_path,
    parts_of,
)
from goldsmith.storage import clock


@dataclass(frozen=True)
class ActiveModel:
    """A model that should be, or is, on an engine."""

    deployment: Deployment
    engine: Engine
    name: str
    is_base: bool
    is_live: bool
    aliases: tuple[str, ...]


def one(session: Session, engine_id: str) -> Engine:
    """The engine. Raises EngineNotFound."""
    engine = session.get(Engine, engine_id)
    if engine is None:
        raise EngineNotFound(f"There is no engine {engine_id}.")
    return engine


def page(session: Session, *, domain: str) -> list[Engine]:
    """All engines, newest first."""
    return list(session.scalars(select(Engine).where(Engine.domain == domain).order_by(Engine.id.desc())))


def engine_for(session: Session, base_model_id: str) -> Engine | None:
    """The engine for this base model: an attached one before one of ours; a wanted one first; never a copy."""
    query = select(Engine).where(Engine.base_model_id == base_model_id, Engine.kind != EngineKind.PROVIDER.value)
    query = query.where(Engine.copy_of.is_(None))
    return session.scalar(query.order_by(Engine.is_wanted.desc(), Engine.kind, Engine.id.desc()).limit(1))


def attached_first(session: Session, base_model_id: str, *, beside: str) -> str | None:
    """The id of the attached engine, beside this one, that others with its base model follow."""
    query = select(Engine.id).where(Engine.base_model_id == base_model_id, Engine.kind == EngineKind.ATTACHED.value)
    query = query.where(Engine.copy_of.is_(None), Engine.is_wanted, Engine.id != beside)
    return session.scalar(query.order_by(Engine.id).limit(1))


def of_ours(session: Session) -> list[Engine]:
    """Engines that we start ourselves."""
    return list(session.scalars(select(Engine).where(Engine.kind == EngineKind.OURS.value).order_by(Engine.id)))


def copies_of(session: Session, engine_id: str) -> list[Engine]:
    """The copies of an engine, oldest first."""
    return list(session.scalars(select(Engine).where(Engine.copy_of == engine_id).order_by(Engine.id)))


def deployment(session: Session, deployment_id: str) -> Deployment:
    """The deployment with this id. Raises DeploymentNotFound."""
    found = session.get(Deployment, deployment_id)
    if found is None:
        raise DeploymentNotFound(f"There is no deployment {deployment_id}.")
    return found


def deployments(session: Session, engine_id: str | None = None) -> list[Deployment]:
    """Deployments, of one engine or of all."""
    query = select(Deployment).order_by(Deployment.id)
    return list(session.scalars(query.where(Deployment.engine_id == engine_id) if engine_id else query))


def deployment_of(session: Session, model_id: str) -> Deployment:
    """The model's newest deployment, a wanted one first, those on copies of an engine never.

    Raises DeploymentNotFound.
    """
    query = select(Deployment).join(Engine, Engine.id == Deployment.engine_id).where(Deployment.model_id == model_id)
    query = query.where(Engine.copy_of.is_(None))
    found = session.scalar(query.order_by(Deployment.is_wanted.desc(), Deployment.id.desc()).limit(1))
    if found is None:
        raise DeploymentNotFound(f"The model {model_id} is not deployed.")
    return found


def is_wanted(session: Session, model_id: str) -> bool:
    """Whether the model should be on an engine."""
    query = select(Deployment.id).where(Deployment.model_id == model_id, Deployment.is_wanted)
    return session.scalar(query.limit(1)) is not None


def is_wanted_beside(session: Session, found: Deployment) -> bool:
    """Whether another engine should have the model too, and does not go when this one goes."""
    query = select(Deployment.id).join(Engine, Engine.id == Deployment.engine_id)
    query = query.where(Deployment.model_id == found.model_id, Deployment.is_wanted, Engine.is_wanted)
    goes_along = (Engine.kind == EngineKind.OURS.value) & (func.coalesce(Engine.copy_of, "") == found.engine_id)
    return session.scalar(query.where(Engine.id != found.engine_id, ~goes_along).limit(1)) is not None


def active(session: Session, *, domain: str) -> list[ActiveModel]:
    """What should be live or is, with its engine."""
    query = select(Deployment, Engine).join(Engine, Engine.id == Deployment.engine_id)
    query = query.where(Deployment.domain == domain, Deployment.is_wanted | (Deployment.state == "loaded"))
    names = model_names(session)
    aliases = _aliases_by_model(session, domain)
    return [
        ActiveModel(
            deployment=found,
            engine=engine,
            name=names.get(found.model_id, found.model_id),
            is_base=found.model_id.startswith("bm_"),
            is_live=is_live(found, engine),
            aliases=aliases.get(found.model_id, ()),
        )
        for found, engine in session.execute(query.order_by(Deployment.id))
    ]


def is_live(found: Deployment, engine: Engine) -> bool:
    """Whether the engine answers requests for this model now."""
    return (
        engine.state == EngineState.READY.value
        and found.state == DeploymentState.LOADED.value
        and found.generation == engine.generation
    )


def model_names(session: Session) -> dict[str, str]:
    """Names by id, of all models."""
    names: dict[str, str] = {}
    for kind in (BaseModel, FineTunedModel):
        names.update((row.id, row.name) for row in session.execute(select(kind.id, kind.name)))
    return names


def rank_of(session: Session, model_id: str) -> int | None:
    """The rank of an adapter; None for what has none."""
    return session.scalar(select(FineTunedModel.lora_rank).where(FineTunedModel.id == model_id))


def alias(session: Session, *, domain: str, name: str) -> Alias | None:
    """A stable name, if it was ever set."""
    return session.get(Alias, (domain, name))


def aliases_of(session: Session, model_id: str, *, domain: str) -> tuple[str, ...]:
    """The stable names that lead to a model, or would again if a roll-out that is under way went back."""
    query = select(Rollout).where(Rollout.domain == domain, Rollout.state == RolloutState.RUNNING.value)
    back = {
        row.alias for row in session.scalars(query) if model_id in {part.model_id for part in parts_of(row.old_targets)}
    }
    return tuple(sorted({*_aliases_by_model(session, domain).get(model_id, ()), *back}))


def aliased_models(session: Session) -> set[tuple[str, str]]:
    """(organisation, model) of everything that a stable name leads to."""
    return {(row.domain, part.model_id) for row in session.scalars(select(Alias)) for part in parts_of(row.targets)}


def aliases(session: Session, *, domain: str) -> list[Alias]:
    """Every stable name that leads somewhere, by name."""
    rows = session.scalars(select(Alias).where(Alias.domain == domain).order_by(Alias.name))
    return [row for row in rows if row.targets]


def alias_history(
    session: Session, name: str, *, domain: str, before: int | None = None, limit: int = 50
) -> list[DeploymentHistory]:
    """What changed about an alias, newest first; `before` is the last `seq` of the page before."""
    query = select(DeploymentHistory).where(DeploymentHistory.domain == domain)
    query = query.where(DeploymentHistory.deployment_config["alias"].as_string() == name)
    if before:
        query = query.where(DeploymentHistory.seq < before)
    return list(session.scalars(query.order_by(DeploymentHistory.seq.desc()).limit(limit)))


def names_of_models(session: Session, *, domain: str) -> set[str]:
    """Every id, name and hub id of a model."""
    names: set[str | None] = set()
    for row in session.execute(
        select(BaseModel.id, BaseModel.name, BaseModel.hub_id).where(BaseModel.domain == domain)
    ):
        names |= {row.id, row.name, row.hub_id}
    for tuned in session.execute(select(FineTunedModel.id, FineTunedModel.name).where(FineTunedModel.domain == domain)):
        names |= {tuned.id, tuned.name}
    return {name for name in names if name}


def history(
    session: Session, *, domain: str, model_id: str | None = None, before: int | None = None, limit: int = 50
) -> list[DeploymentHistory]:
    """What changed, newest first; `before` is the last `seq` of the page before."""
    query = select(DeploymentHistory).where(DeploymentHistory.domain == domain)
    if model_id:
        query = query.where(DeploymentHistory.model_id == model_id)
    if before:
        query = query.where(DeploymentHistory.seq < before)
    return list(session.scalars(query.order_by(DeploymentHistory.seq.desc()).limit(limit)))


def last_seq(session: Session) -> int:
    """The number of the newest entry of the history; 0 when there is none."""
    return session.scalar(select(func.max(DeploymentHistory.seq))) or 0


def receipt(session: Session, model_id: str) -> Receipt:
    """The model's newest receipt. Raises ReceiptNotFound."""
    query = select(Receipt).where(Receipt.model_id == model_id).order_by(Receipt.id.desc()).limit(1)
    found = session.scalar(query)
    if found is None:
        raise ReceiptNotFound(f"The model {model_id} has no receipt yet.")
    return found


def receipts(session: Session, model_id: str) -> list[Receipt]:
    """All receipts of a model, newest first."""
    return list(session.scalars(select(Receipt).where(Receipt.model_id == model_id).order_by(Receipt.id.desc())))


def target_of(found: Deployment, engine: Engine) -> Target:
    """Where requests for a deployed model go."""
    is_ours = engine.kind != EngineKind.PROVIDER.value
    is_base = found.model_id == engine.base_model_id
    own_name = engine.provider_model if (is_base or not is_ours) else None
    return Target(
        url=engine.url or "",
        key_path=key_path(engine.id),
        model_name=found.name_in_engine or own_name or found.model_id,
        engine_id=engine.id,
        is_ready=is_live(found, engine) if is_ours else engine.is_wanted,
        is_ours=is_ours,
        is_cpu_safe_needed=is_ours,
        takes_priority=engine.takes_priority,
    )


def target_for(session: Session, model_id: str) -> Target:
    """Where requests for this model go; not ready while it is being started. Raises NoEngineForModel."""
    engine = session.get(Engine, model_id) if model_id.startswith("eng_") else None
    if engine is not None and engine.kind == EngineKind.PROVIDER.value:
        name = engine.provider_model or ""
        return Target(engine.url or "", key_path(engine.id), name, engine.id, engine.is_wanted, is_ours=False)
    try:
        found = deployment_of(session, model_id)
    except DeploymentNotFound as error:
        raise NoEngineForModel(f"The model {model_id} is on no engine.") from error
    return target_of(found, one(session, found.engine_id))


def targets_for(session: Session, model_id: str) -> list[Target]:
    """Every engine that answers for this model now: the one of `target_for` first, then copies and others.

    The first need not be proved, because what proves it asks it; the others must be. Raises NoEngineForModel.
    """
    first = target_for(session, model_id)
    found = [first] if first.is_ready else []
    if not first.is_ours:
        return found
    query = select(Deployment, Engine).join(Engine, Engine.id == Deployment.engine_id)
    query = query.where(Deployment.model_id == model_id, Deployment.is_wanted, Engine.id != first.engine_id)
    return found + [
        target_of(deployment, engine)
        for deployment, engine in session.execute(query.order_by(Engine.id))
        if Proof(deployment.proof).allows_default and is_live(deployment, engine)
    ]


def route_table(session: Session, domain: str) -> RouteTable:
    """Every name that callers of this organisation may use: ids, unique names, hub ids and aliases."""
    shares: dict[str, Share] = {}
    for item in active(session, domain=domain):
        if item.deployment.is_wanted:
            target = target_of(item.deployment, item.engine)
            found = Share(item.deployment.model_id, 1.0, target, Proof(item.deployment.proof))
            previous = shares.get(found.model_id)
            shares[found.model_id] = _joined(previous, found) if previous is not None else found
    routes: dict[str, Route] = {route.name: route for route in _provider_routes(session, domain)}
    for name, (model_id, kind, label) in _names_of(session, domain, list(shares)).items():
        routes[name] = Route(name, kind, (shares[model_id],), label)
    for row in aliases(session, domain=domain):
        parts = tuple(
            replace(shares[part.model_id], share=part.share, alias=row.name, version=row.version)
            for part in parts_of(row.targets)
            if part.model_id in shares
        )
        if parts:
            routes[row.name] = Route(row.name, "alias", parts)
    return RouteTable(clock.now(), routes)


def _joined(first: Share, other: Share) -> Share:
    """One model on two engines: both answer when both are ready and as well proved."""
    if not other.target.is_ready:
        return first
    if not first.target.is_ready or (other.proof.allows_default and not first.proof.allows_default):
        return other
    if first.proof.allows_default and not other.proof.allows_default:
        return first
    return replace(first, others=(*first.others, other.target))


def _provider_routes(session: Session, domain: str) -> list[Route]:
    """Models at outside providers: by the provider's id, and by the model's name there when only one has it."""
    query = select(Engine).where(Engine.domain == domain, Engine.kind == EngineKind.PROVIDER.value, Engine.is_wanted)
    engines = list(session.scalars(query.order_by(Engine.id)))
    there = [engine.provider_model for engine in engines]
    routes = []
    for engine in engines:
        share = Share(engine.id, 1.0, target_for(session, engine.id), Proof.NOT_NEEDED)
        names = [engine.id] if there.count(engine.provider_model) > 1 else [engine.id, engine.provider_model]
        routes += [Route(name, "provider", (share,), engine.name) for name in names if name and name != DEFAULT_ALIAS]
    return routes


def domains(session: Session) -> list[str]:
    """Every organisation that has an engine."""
    return list(session.scalars(select(Engine.domain).distinct()))


def num_deployed(session: Session, *, domain: str) -> int:
    """How many fine-tuned models are loaded."""
    query = select(func.count()).select_from(Deployment)
    loaded = (Deployment.state == DeploymentState.LOADED.value, Deployment.model_id.startswith("ftm_"))
    return session.scalar(query.where(Deployment.domain == domain, *loaded)) or 0


def _names_of(session: Session, domain: str, model_ids: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Name → (model id, kind, what people call it); a name that two models have leads nowhere."""
    pairs: list[tuple[str, str, str, str]] = []
    bases = list(session.scalars(select(BaseModel).where(BaseModel.domain == domain)))
    for name in sorted({name for base in bases for name in (base.id, base.name, base.hub_id) if name}):
        pairs += [(name, base.id, "base", base.name) for base in models.meant_by(name, bases)]
    for tuned in session.execute(select(FineTunedModel.id, FineTunedModel.name).where(FineTunedModel.domain == domain)):
        pairs += [(name, tuned.id, "fine_tuned", tuned.name) for name in sorted({tuned.id, tuned.name})]
    num_models: dict[str, set[str]] = {}
    for name, model_id, *_ in pairs:
        num_models.setdefault(name, set()).add(model_id)
    return {
        name: (model_id, kind, label)
        for name, model_id, kind, label in pairs
        if len(num_models[name]) == 1 and model_id in model_ids
    }


def _aliases_by_model(session: Session, domain: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in session.scalars(select(Alias).where(Alias.domain == domain).order_by(Alias.name)):
        for part in row.targets:
            found[part["model_id"]] = (*found.get(part["model_id"], ()), row.name)
    return found
