"""The verbs over engines that others run: attach a vLLM, add a provider, use one no more.

Several attached engines with one base model share its work, as copies do: the first one is theirs to follow, the keeper
loads on the others what is on it, and when it goes another takes its place.
"""

from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from goldsmith.models import queries as models
from goldsmith.people.types import Person
from goldsmith.serve import queries, service
from goldsmith.serve.errors import IsDefault, NameNotServable
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.serve.trial import Trial
from goldsmith.serve.types import EngineKind, EngineState


def attach_engine(
    session: Session, url: str, *, base_model_id: str, by: Person, name_in_engine: str | None = None
) -> Engine:
    """Use somebody's running vLLM, which has this base model. Its key is kept by `engine.write_key`.

    Where one with this base model is attached already, this one gets the same models and shares its work.
    """
    base = models.base(session, base_model_id, domain=by.domain)
    address = checked_url(url)
    query = select(Engine).where(Engine.kind == EngineKind.ATTACHED.value, Engine.url == address)
    engine = session.scalar(query.where(Engine.domain == by.domain))
    if engine is None:
        engine = service.engine_row(EngineKind.ATTACHED, name=f"vLLM at {address}", by=by)
        engine.url = address
        session.add(engine)
        session.flush()
    if engine.base_model_id != base.id:
        service.hand_over(session, engine)
    engine.base_model_id = base.id
    engine.copy_of = queries.attached_first(session, base.id, beside=engine.id)
    engine.provider_model = name_in_engine
    service.wake(engine)
    session.flush()
    service.want_base(session, engine, by=by)
    return engine


def add_provider(
    session: Session,
    url: str,
    *,
    model: str,
    by: Person,
    name: str | None = None,
    prices_usd_per_million: tuple[float | None, float | None] = (None, None),
) -> Engine:
    """An outside service that speaks OpenAI's API, with what a million tokens in and out cost."""
    engine = service.engine_row(EngineKind.PROVIDER, name=name or f"{model} at {urlsplit(url).hostname}", by=by)
    engine.url = checked_url(url)
    engine.provider_model = model
    engine.state = EngineState.READY.value
    engine.input_usd_per_million, engine.output_usd_per_million = prices_usd_per_million
    session.add(engine)
    session.flush()
    return engine


def note_trial(session: Session, engine_id: str, trial: Trial) -> None:
    """Keep what came of trying an engine where its state is shown. An engine that is watched has its state by that."""
    engine = queries.one(session, engine_id)
    engine.message = trial.sentence
    if engine.kind == EngineKind.PROVIDER.value:
        engine.state = (EngineState.READY if trial.is_ok else EngineState.FAILED).value
    session.flush()


def remove_engine(session: Session, engine_id: str, *, by: Person) -> Engine:
    """Use an attached engine or a provider no more; what it answered stays. One of ours is only stopped.

    Its key is deleted by `engine.forget_key`. Raises IsDefault while an alias leads to what only this one has.
    """
    for deployment in queries.deployments(session, engine_id):
        is_last = deployment.is_wanted and not queries.is_wanted_beside(session, deployment)
        names = queries.aliases_of(session, deployment.model_id, domain=by.domain) if is_last else ()
        if names:
            raise IsDefault(f"This engine has what callers get as {', '.join(names)}.")
    engine = service.stop_engine(session, engine_id, by=by)
    if engine.kind != EngineKind.OURS.value:
        engine.base_model_id = engine.copy_of = None  # so that no model wakes it again
        engine.message = f"removed by {by.name}"
        session.execute(update(Deployment).where(Deployment.engine_id == engine.id).values(is_wanted=False))
        session.flush()
    return engine


def checked_url(url: str) -> str:
    """An engine's address without `/v1` and slashes at its end. Raises NameNotServable."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise NameNotServable(f"{url[:200]!r} is not an engine's address.")
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc}{path}"
