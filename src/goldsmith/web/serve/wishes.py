"""What became of a wish: a deployment is looked at until it is live, proved, or has failed, and told as an answer.

Used by `api.py` alone.
"""

from dataclasses import dataclass

from fastapi import Response
from sqlalchemy import orm

from goldsmith.people.types import Person
from goldsmith.serve import outside, queries
from goldsmith.serve.errors import DeploymentNotFound, EngineFailed, EngineNotFound, NotProved
from goldsmith.serve.tables import Alias, Deployment, Engine
from goldsmith.serve.types import DEFAULT_ALIAS, DeploymentState, EngineState, Proof
from goldsmith.storage.database import Database
from goldsmith.web.answers import not_yet
from goldsmith.web.serve.answers import AttachedBody, DeploymentAnswer, ProviderBody, SwitchAnswer
from goldsmith.web.waiting import wait_until


@dataclass(frozen=True)
class Found:
    """A deployment and its engine, as they were seen."""

    deployment: Deployment
    engine: Engine

    @property
    def is_live(self) -> bool:
        """Whether requests for the model are answered now."""
        return queries.is_live(self.deployment, self.engine)

    @property
    def is_proved(self) -> bool:
        """Whether callers who name no model may get it."""
        return Proof(self.deployment.proof).allows_default

    @property
    def trouble(self) -> str | None:
        """Why it will not become live by waiting."""
        if self.deployment.state == DeploymentState.FAILED.value:
            return self.deployment.message or "The engine could not load the model."
        if self.engine.state == EngineState.FAILED.value:
            return self.engine.message or "The engine could not be started."
        return None

    @property
    def refusal(self) -> str | None:
        """Why its receipt is red."""
        return self.deployment.message if self.deployment.proof == Proof.REFUSED.value else None


def wait_for_deployment(database: Database, deployment_id: str, *, until_proved: bool = False) -> Found:
    """The deployment, live (and proved), or as it stands after ten seconds. Raises EngineFailed, NotProved."""

    def look(session: orm.Session) -> Found:
        deployment = queries.deployment(session, deployment_id)
        return Found(deployment, queries.one(session, deployment.engine_id))

    def is_settled(found: Found) -> bool:
        is_there = found.is_live and (found.is_proved or not until_proved)
        return is_there or found.trouble is not None or found.refusal is not None

    found = wait_until(database, look, is_settled)
    if found.trouble is not None:
        raise EngineFailed(found.trouble)
    if found.refusal is not None:
        raise NotProved(f"The model was taken off its engine again: {found.refusal}")
    return found


def deployed(found: Found, response: Response) -> DeploymentAnswer:
    """The answer to a wish to have a model live."""
    if not found.is_live:
        not_yet(response, f"/v1/deployments/{found.deployment.id}")
    return _answer(found)


def shown(session: orm.Session, deployment: Deployment, *, domain: str | None = None) -> DeploymentAnswer:
    """A deployment of this organisation, where one is named. Raises DeploymentNotFound."""
    if domain is not None and deployment.domain != domain:
        raise DeploymentNotFound(f"There is no deployment {deployment.id}.")
    return _answer(Found(deployment, queries.one(session, deployment.engine_id)))


def switched(found: Found, response: Response, alias: Alias | None = None) -> SwitchAnswer:
    """The answer to a wish to switch; without an alias nothing was switched yet."""
    if alias is None or not found.is_live:
        not_yet(response, f"/v1/deployments/{found.deployment.id}")
    what = "live" if not found.is_live else "proved"
    waits = f"It is not {what} yet, so nothing was switched. Switch again when it is."
    return SwitchAnswer(
        alias=DEFAULT_ALIAS,
        model_id=found.deployment.model_id,
        is_switched=alias is not None,
        is_live=found.is_live,
        message=found.deployment.message if alias is not None else waits,
        changed_at=alias.changed_at if alias is not None else None,
    )


def add_engine(session: orm.Session, body: AttachedBody | ProviderBody, *, by: Person) -> Engine:
    """Write the engine that was described. Raises NameNotServable, ModelNotFound."""
    if isinstance(body, AttachedBody):
        return outside.attach_engine(
            session, body.url, base_model_id=body.base_model, by=by, name_in_engine=body.name_in_engine
        )
    prices = (body.input_usd_per_million, body.output_usd_per_million)
    return outside.add_provider(
        session, body.url, model=body.model, by=by, name=body.name, prices_usd_per_million=prices
    )


def engine_for(session: orm.Session, engine_id: str, person: Person) -> Engine:
    """The engine, when it belongs to the person's organisation. Raises EngineNotFound."""
    engine = queries.one(session, engine_id)
    if engine.domain != person.domain:
        raise EngineNotFound(f"There is no engine {engine_id}.")
    return engine


def _answer(found: Found) -> DeploymentAnswer:
    names = (
        "id",
        "model_id",
        "engine_id",
        "is_wanted",
        "state",
        "proof",
        "message",
        "load_s",
        "loaded_at",
        "receipt_id",
    )
    return DeploymentAnswer(**{name: getattr(found.deployment, name) for name in names}, is_live=found.is_live)
