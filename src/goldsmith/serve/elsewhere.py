"""Models that live at a provider: the base model that is trained there, and what came of it. No file of them is here.

They are asked through the provider that is kept for answers, with its address and key; the keeper has nothing to load,
and no receipt can be made, because no provider tells the log-probabilities of a prompt. Called by `service.py` and by
whoever trains there. Only writes rows.
"""

import hashlib
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.models import queries as models
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.models.types import AT_PROVIDER
from goldsmith.people.types import Person
from goldsmith.serve import history
from goldsmith.serve.errors import ProviderGone, ProviderNotFound
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.serve.types import DeploymentState, EngineKind, HistoryAction, Proof
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id


def providers(session: Session, *, domain: str) -> list[Engine]:
    """Every provider that is in use, newest first."""
    query = select(Engine).where(Engine.domain == domain, Engine.kind == EngineKind.PROVIDER.value, Engine.is_wanted)
    return list(session.scalars(query.order_by(Engine.id.desc())))


def provider(session: Session, name: str, *, domain: str) -> Engine:
    """A provider by its id, its name, its model's name, or by the base model that stands for it.

    Raises ProviderNotFound, ProviderGone.
    """
    there = providers(session, domain=domain)
    base = session.get(BaseModel, name)
    if base is not None and base.domain == domain and base.source == AT_PROVIDER:
        return of_base(session, base)
    found = [one for one in there if one.id == name] or [one for one in there if name in (one.name, one.provider_model)]
    if len(found) != 1:
        said = "There is no provider" if not found else "More than one provider is called"
        raise ProviderNotFound(f"{said} {name[:100]!r}.")
    return found[0]


def of_base(session: Session, base: BaseModel) -> Engine:
    """The newest provider at which this base model lives. Raises ProviderGone."""
    for engine in providers(session, domain=base.domain):
        if _hash_of(engine) == base.content_hash:
            return engine
    raise ProviderGone(f"The provider of {base.name} is not used any more.")


def base_of(session: Session, engine: Engine, *, by: Person) -> BaseModel:
    """The base model that stands for a provider's model; made when it is first needed."""
    content_hash = _hash_of(engine)
    query = select(BaseModel).where(BaseModel.domain == by.domain, BaseModel.source == AT_PROVIDER)
    base = session.scalar(query.where(BaseModel.content_hash == content_hash))
    if base is None:
        base = BaseModel(
            id=new_id(Prefix.BASE_MODEL),
            name=_free_name(session, engine, by.domain),
            source=AT_PROVIDER,
            folder=f"models/base/{content_hash}",  # nothing lies there, and nothing ever will
            content_hash=content_hash,
            size_bytes=0,
            num_parameters=0,
            context_length=0,
            template_hash="",
            end_marker="",
            domain=by.domain,
            created_by=by.id,
        )
        session.add(base)
        session.flush()
    _on(session, base.id, engine, by=by)
    return base


def put(session: Session, model: FineTunedModel, name: str, *, by: Person) -> Deployment:
    """A model that has just been trained there can be asked there, by this name. Raises ProviderGone."""
    engine = of_base(session, session.get_one(BaseModel, model.base_model_id))
    return _use(session, model, engine, name, by=by)


def deploy(session: Session, model: BaseModel | FineTunedModel, *, by: Person) -> Deployment:
    """Have it answer, which it does as soon as it is wanted: it is there. Raises ProviderGone."""
    if isinstance(model, BaseModel):
        return _on(session, model.id, of_base(session, model), by=by)
    engine = of_base(session, session.get_one(BaseModel, model.base_model_id))
    return _use(session, model, engine, name_of(session, model.id) or model.id, by=by)


def undeploy(session: Session, model: BaseModel | FineTunedModel) -> None:
    """Ask it no more; it stays where it is, and what it costs there is between the provider and its customer."""
    for row in session.scalars(select(Deployment).where(Deployment.model_id == model.id)):
        row.state = DeploymentState.UNLOADED.value
    session.flush()


def name_of(session: Session, model_id: str) -> str | None:
    """What the provider calls it."""
    query = select(Deployment.name_in_engine).where(Deployment.model_id == model_id)
    return session.scalar(query.where(Deployment.name_in_engine.is_not(None)).limit(1))


def _use(session: Session, model: FineTunedModel, engine: Engine, name: str, *, by: Person) -> Deployment:
    found = _on(session, model.id, engine, by=by, name=name)
    if model.status != "deployed":
        model.status, model.deployed_at = "deployed", clock.now()
        history.record(session, HistoryAction.DEPLOY, model.id, by=by, config={"engine_id": engine.id})
    return found


def _on(session: Session, model_id: str, engine: Engine, *, by: Person, name: str | None = None) -> Deployment:
    query = select(Deployment).where(Deployment.model_id == model_id, Deployment.engine_id == engine.id)
    row = session.scalar(query)
    if row is None:
        row = Deployment(id=new_id(Prefix.DEPLOYMENT), model_id=model_id, engine_id=engine.id, domain=by.domain)
        row.created_by, row.generation = by.id, engine.generation
        session.add(row)
    row.name_in_engine = name
    if not row.is_wanted or row.state != DeploymentState.LOADED.value:
        row.is_wanted, row.state, row.proof = True, DeploymentState.LOADED.value, Proof.NOT_NEEDED.value
        row.loaded_at, row.message = clock.now(), ""
    session.flush()
    return row


def _hash_of(engine: Engine) -> str:
    return hashlib.sha256(f"{engine.url}\n{engine.provider_model}".encode()).hexdigest()


def _free_name(session: Session, engine: Engine, domain: str) -> str:
    """The model's name and where it is; with the whole address where that is taken."""
    short = f"{engine.provider_model} at {urlsplit(engine.url or '').netloc}"[:255]
    is_taken = models.base_called(session, short, domain=domain) is not None
    return f"{engine.provider_model} at {engine.url}"[:255] if is_taken else short
