"""The verbs of serving: have an engine, deploy, undeploy, switch, undo.

Each only writes rows; the keeper acts on them. Called by handlers, commands and later steps.
"""

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from goldsmith.models import queries as models
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import aliases, elsewhere, history, queries
from goldsmith.serve.errors import (
    EngineNotFound,
    IsDefault,
    NothingToUndo,
    NotOurs,
    RankNotServable,
    TooManyCopies,
    WrongPlaces,
)
from goldsmith.serve.tables import Alias, Deployment, Engine
from goldsmith.serve.types import (
    DEFAULT_ALIAS,
    MAX_COPIES,
    MAX_PLACES,
    DeploymentState,
    EngineKind,
    EngineState,
    HistoryAction,
    Part,
    Proof,
    rank_limit,
)
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id


def want_engine(session: Session, base_model_id: str, *, by: Person, may_displace: bool = True) -> Engine:
    """Have an engine with this base model: the one that is there, else one that is started now.

    Where there is no room for it beside those that run, the keeper has the one leave that was wanted longest ago, and
    says so in its message; unless it `may_displace` none, then it waits for room.
    """
    base = models.base(session, base_model_id, domain=by.domain)
    engine = queries.engine_for(session, base.id)
    if engine is None:
        engine = _new_engine(session, base, by=by)
    if may_displace:
        engine.wanted_at = clock.now()
    for copy in queries.copies_of(session, engine.id):
        wake(copy, is_wanted=copy.is_wanted)
    wake(engine)
    want_base(session, engine, by=by)
    session.flush()
    return engine


def stop_engine(session: Session, engine_id: str, *, by: Person) -> Engine:
    """Stop an engine, or leave one that is not ours alone; its models come back when it is wanted again.

    Its copies stop with it. Of a stopped copy there is one fewer from now on.
    """
    engine = queries.one(session, engine_id)
    leave(session, engine, f"stopped by {by.name}")
    session.flush()
    return engine


def leave(session: Session, engine: Engine, because: str) -> None:
    """Want an engine no more; of a copy of ours there is one fewer then, or the keeper would bring it back."""
    engine.is_wanted, engine.message = False, because
    if engine.kind == EngineKind.ATTACHED.value:
        hand_over(session, engine)
    elif engine.copy_of is not None:
        original = queries.one(session, engine.copy_of)
        original.num_copies = max(1, original.num_copies - 1)


def hand_over(session: Session, engine: Engine) -> None:
    """Have another attached engine take the place of this one, which the others with its base model follow."""
    followers = queries.copies_of(session, engine.id)
    first = next((one for one in followers if one.is_wanted), None)
    if first is None:
        return
    for one in (engine, *followers):
        one.copy_of = first.id if one is not first else None
    session.flush()


def set_copies(session: Session, engine_id: str, num_copies: int, *, by: Person) -> Engine:
    """Have so many engines with this base model answer, itself included. Raises EngineNotFound, NotOurs, TooManyCopies.

    The keeper makes them, one after the other, as far as there is room.
    """
    engine = _ours(session, engine_id, by=by)
    if not 1 <= num_copies <= MAX_COPIES:
        raise TooManyCopies(f"{num_copies} is no number of engines from 1 to {MAX_COPIES}.")
    engine.num_copies = num_copies
    session.flush()
    return engine


def set_places(session: Session, engine_id: str, num_places: int, *, by: Person) -> Engine:
    """Have an engine and its copies hold so many adapters ready at once. Raises EngineNotFound, NotOurs, WrongPlaces.

    More than it has now: it starts again, about a minute in which it answers nothing. Fewer: from its next start on.
    """
    engine = _ours(session, engine_id, by=by)
    if not 1 <= num_places <= MAX_PLACES:
        raise WrongPlaces(f"{num_places} is no number of places from 1 to {MAX_PLACES}.")
    for one in (engine, *queries.copies_of(session, engine.id)):
        one.num_places = num_places
    session.flush()
    return engine


def _ours(session: Session, engine_id: str, *, by: Person) -> Engine:
    """An engine of ours that is no copy."""
    engine = queries.one(session, engine_id)
    if engine.domain != by.domain:
        raise EngineNotFound(f"There is no engine {engine_id}.")
    if engine.kind != EngineKind.OURS.value:
        raise NotOurs(f"{engine.name} is not an engine of ours.")
    if engine.copy_of is not None:
        raise NotOurs(f"{engine.name} is a copy itself.", hint="Set it on the engine that it copies.")
    return engine


def add_copy(session: Session, engine: Engine, number: int) -> Engine:
    """One more engine with the same base model; it makes none of the others leave."""
    by = Person(engine.created_by, "", engine.domain)
    copy = engine_row(EngineKind.OURS, name=f"{engine.name[:230]}, copy {number}", by=by)
    copy.base_model_id, copy.copy_of, copy.num_places = engine.base_model_id, engine.id, engine.num_places
    session.add(copy)
    session.flush()
    return copy


def want_on_copy(session: Session, copy: Engine, model_id: str, *, is_wanted: bool, by: Person) -> None:
    """Have a model on a copy of its engine, or no more; it is loaded and proved there for itself."""
    deployment = _row_on(session, model_id, copy, by=by)
    if not is_wanted:
        deployment.is_wanted, deployment.message = False, "taken away"
        deployment.proof = Proof.UNPROVED.value
        return
    _begin(deployment)
    base = session.get(BaseModel, model_id)
    if base is not None and base.merged_from is None:
        deployment.proof = Proof.NOT_NEEDED.value


def deploy(session: Session, model_id: str, *, by: Person, may_displace: bool = True) -> Deployment:
    """Have a model live: its engine is started when there is none, and starts again when its ranks are too few.

    A model that comes by itself, after a training or a merge, `may_displace` no engine: it waits for room.
    """
    model = models.any_model(session, model_id, domain=by.domain)
    if models.is_at_provider(session, model):
        return elsewhere.deploy(session, model, by=by)
    if isinstance(model, BaseModel):
        want_engine(session, model.id, by=by, may_displace=may_displace)
        return queries.deployment_of(session, model.id)
    if rank_limit([model.lora_rank]) is None:
        raise RankNotServable(f"{model.name} has rank {model.lora_rank}; engines take up to 512.")
    engine = want_engine(session, model.base_model_id, by=by, may_displace=may_displace)
    deployment = _deployment_row(session, model.id, engine, by=by)
    is_new = not deployment.is_wanted or deployment.state in ("failed", "unloaded") or deployment.proof == "refused"
    if is_new:
        _begin(deployment)
        history.record(session, HistoryAction.DEPLOY, model.id, by=by, config={"engine_id": engine.id})
    limit = rank_limit([model.lora_rank]) or 0
    if limit > engine.max_lora_rank and engine.state != EngineState.STOPPED.value:
        deployment.message = (
            f"The engine takes adapters up to rank {engine.max_lora_rank}; it starts again to take rank "
            f"{model.lora_rank} (about a minute, in which nothing is answered)."
        )
    session.flush()
    return deployment


def undeploy(session: Session, model_id: str, *, by: Person) -> Deployment:
    """Take a model off its engine. Raises IsDefault while an alias leads to it."""
    model = models.any_model(session, model_id, domain=by.domain)
    names = queries.aliases_of(session, model.id, domain=by.domain)
    if names:
        raise IsDefault(f"{model.name} is what callers get as {', '.join(names)}.")
    deployment = queries.deployment_of(session, model.id)
    if deployment.is_wanted:
        everywhere = update(Deployment).where(Deployment.model_id == model.id, Deployment.is_wanted)
        session.execute(everywhere.values(is_wanted=False, message=f"taken away by {by.name}"))
        history.record(session, HistoryAction.UNDEPLOY, model.id, by=by, config={"engine_id": deployment.engine_id})
    if isinstance(model, FineTunedModel) and model.status == "deployed":
        model.status, model.updated_at = "trained", clock.now()
    if models.is_at_provider(session, model):
        elsewhere.undeploy(session, model)
    if isinstance(model, BaseModel) and model.merged_from is not None:
        stop_engine(session, deployment.engine_id, by=by)  # it has nothing else
    session.flush()
    return deployment


def refuse(session: Session, deployment: Deployment, reason: str, *, by: Person) -> None:
    """Take a model off its engine because its receipt is red."""
    deployment.is_wanted = False
    deployment.proof, deployment.message = Proof.REFUSED.value, reason
    config = {"engine_id": deployment.engine_id, "because": "refused", "reason": reason}
    history.record(session, HistoryAction.UNDEPLOY, deployment.model_id, by=by, config=config)
    engine = queries.one(session, deployment.engine_id)
    model = session.get(FineTunedModel, deployment.model_id)
    if model is not None and model.status == "deployed" and engine.copy_of is None:
        model.status, model.updated_at = "trained", clock.now()
    if engine.base_model_id == deployment.model_id:  # merged weights: they are all that the engine has
        leave(session, engine, f"stopped: {reason}")


def prove_again(session: Session, model_id: str, *, by: Person) -> Deployment:
    """Have a deployed model's load proved once more. Raises ModelAtProvider."""
    model = models.any_model(session, model_id, domain=by.domain)
    models.check_is_here(session, model, "be proved: no provider tells how likely it finds a text")
    deployment = queries.deployment_of(session, model.id)
    if deployment.proof in (Proof.REFUSED.value, Proof.NOT_NEEDED.value):
        return deploy(session, model.id, by=by)
    deployment.proof, deployment.prove_job_id = Proof.UNPROVED.value, None
    session.flush()
    return deployment


def switch(session: Session, model_id: str, *, by: Person) -> Alias:
    """Give callers who name no model this one. Raises NotProved, or DeploymentNotFound when it is not deployed."""
    return aliases.point(session, DEFAULT_ALIAS, [Part(model_id, 1.0)], by=by)


def undo_switch(session: Session, *, by: Person) -> Alias:
    """Go back to what was the default before. Raises NothingToUndo."""
    return undo_alias(session, DEFAULT_ALIAS, by=by)


def can_undo_switch(session: Session, *, by: Person) -> bool:
    """Whether another model was the default before this one: the first one stays until another takes its place."""
    return history.before(session, DEFAULT_ALIAS, domain=by.domain) is not None


def undo_alias(session: Session, name: str, *, by: Person, why: str = "") -> Alias:
    """Make an alias what it was before its last change; a model that is gone from its engine is deployed again.

    Raises NothingToUndo.
    """
    before = history.before(session, name, domain=by.domain)
    if before is None:
        raise NothingToUndo(f"Nothing was {name[:100]} before this.")
    if queries.alias(session, domain=by.domain, name=name) is None:
        aliases.check_name(session, name, domain=by.domain)
    for part in before.parts:
        if not queries.deployment_of(session, part.model_id).is_wanted:
            deploy(session, part.model_id, by=by)
    return aliases.restore(session, name, before, by=by, why=why)


def engine_row(kind: EngineKind, *, name: str, by: Person) -> Engine:
    """A new engine, stopped; the caller adds it."""
    return Engine(
        id=new_id(Prefix.ENGINE),
        name=name[:255],
        kind=kind.value,
        is_wanted=True,
        state=EngineState.STOPPED.value,
        message="",
        generation=0,
        max_lora_rank=rank_limit([]) or 8,
        max_loras=4,
        num_copies=1,
        takes_priority=False,
        num_crashes=0,
        domain=by.domain,
        created_by=by.id,
    )


def _new_engine(session: Session, base: BaseModel, *, by: Person) -> Engine:
    engine = engine_row(EngineKind.OURS, name=f"vLLM with {base.name}", by=by)
    engine.base_model_id = base.id
    session.add(engine)
    session.flush()
    return engine


def wake(engine: Engine, *, is_wanted: bool = True) -> None:
    """Wanted from now on; one that had failed is tried again."""
    engine.is_wanted = is_wanted
    if engine.state == EngineState.FAILED.value:
        engine.state, engine.num_crashes, engine.message = EngineState.STOPPED.value, 0, "to be tried again"


def want_base(session: Session, engine: Engine, *, by: Person) -> None:
    """Have an engine's base model live on it."""
    if engine.base_model_id is not None:
        deployment = _deployment_row(session, engine.base_model_id, engine, by=by)
        if session.get_one(BaseModel, engine.base_model_id).merged_from is None:
            deployment.is_wanted, deployment.proof = True, Proof.NOT_NEEDED.value
        elif not deployment.is_wanted or deployment.proof == Proof.REFUSED.value:
            _begin(deployment)  # merged weights are proved, as an adapter is


def _deployment_row(session: Session, model_id: str, engine: Engine, *, by: Person) -> Deployment:
    """The model's row on this engine. Where another engine has it that runs too, both answer; else it left that one."""
    stopped = select(Engine.id).where(Engine.is_wanted.is_(False), Engine.id != engine.id)
    others = update(Deployment).where(Deployment.model_id == model_id, Deployment.engine_id.in_(stopped))
    session.execute(others.values(is_wanted=False))
    return _row_on(session, model_id, engine, by=by)


def _row_on(session: Session, model_id: str, engine: Engine, *, by: Person) -> Deployment:
    query = select(Deployment).where(Deployment.model_id == model_id, Deployment.engine_id == engine.id)
    deployment = session.scalar(query)
    if deployment is None:
        deployment = Deployment(
            id=new_id(Prefix.DEPLOYMENT),
            model_id=model_id,
            engine_id=engine.id,
            is_wanted=False,
            state=DeploymentState.WAITING.value,
            proof=Proof.UNPROVED.value,
            message="",
            generation=0,
            domain=by.domain,
            created_by=by.id,
        )
        session.add(deployment)
        session.flush()
    return deployment


def _begin(deployment: Deployment) -> None:
    deployment.is_wanted = True
    deployment.state, deployment.proof = DeploymentState.WAITING.value, Proof.UNPROVED.value
    deployment.generation = 0
    deployment.prove_job_id = deployment.receipt_id = deployment.load_s = deployment.loaded_at = None
    deployment.message = "waits for its engine"
