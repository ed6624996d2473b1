"""The API over serving: deploy, load, switch, what is live, receipts, engines.

What waits for the keeper opens its own transactions: the wish is committed first, then it is looked what came of it.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from goldsmith.models import queries as models
from goldsmith.serve import aliases, outside, queries, rollouts, service
from goldsmith.serve import engine as engines
from goldsmith.serve.shadow import service as shadow
from goldsmith.serve.types import DEFAULT_ALIAS, EngineKind
from goldsmith.web.answers import MAX_NUMBER, Id, Limit, Name, made, not_yet
from goldsmith.web.dependencies import AfterSwitch, CurrentPerson, ReadSession, Session, TheHome, TheState
from goldsmith.web.described import under_way
from goldsmith.web.serve.alias_answers import AliasAnswer, AliasBody, AliasesAnswer, alias_answer
from goldsmith.web.serve.answers import (
    ActiveAnswer,
    ActiveModelsAnswer,
    CopiesBody,
    DeploymentAnswer,
    EngineAnswer,
    EngineBody,
    EnginesAnswer,
    HistoryAnswer,
    ModelBody,
    PlacesBody,
    ReceiptAnswer,
    SwitchAnswer,
)
from goldsmith.web.serve.rollout_answers import (
    MAX_MINUTES,
    RolloutAnswer,
    RolloutBody,
    RolloutsAnswer,
    TrafficAnswer,
    WhyBody,
    rollout_answer,
    traffic_answer,
)
from goldsmith.web.serve.wishes import (
    add_engine,
    deployed,
    engine_for,
    shown,
    switched,
    wait_for_deployment,
)

api = APIRouter(tags=["serving"])
Minutes = Annotated[int, Query(ge=1, le=MAX_MINUTES, description="How far back, in minutes.")]
BeforeSeq = Annotated[int | None, Query(ge=1, le=MAX_NUMBER, description="The `seq` of the last one that was seen.")]


@api.post("/v1/fine-tuning/models/{model_id}/deploy", responses=under_way(DeploymentAnswer))
def deploy(state: TheState, person: CurrentPerson, model_id: Id, response: Response) -> DeploymentAnswer:
    """Have a model loaded in an engine; its receipt follows by itself. 202 while the engine is not that far."""
    with state.database.transaction() as session:
        model = models.tuned(session, model_id, domain=person.domain)
        wanted = service.deploy(session, model.id, by=person)
    return deployed(wait_for_deployment(state.database, wanted.id), response)


@api.post("/v1/fine-tuning/models/{model_id}/undeploy")
def undeploy(session: Session, person: CurrentPerson, model_id: Id) -> DeploymentAnswer:
    """Take a model off its engine; refused while callers get it by another name."""
    return shown(session, service.undeploy(session, model_id, by=person))


@api.get("/v1/fine-tuning/models/{model_id}/receipt")
def receipt(session: ReadSession, person: CurrentPerson, model_id: Id) -> ReceiptAnswer:
    """The newest proof that the model, as it was loaded, has learned what it was taught."""
    model = models.tuned(session, model_id, domain=person.domain)
    return ReceiptAnswer.model_validate(queries.receipt(session, model.id))


@api.post("/v1/fine-tuning/models/{model_id}/receipt", status_code=202)
def prove_again(session: Session, person: CurrentPerson, model_id: Id, response: Response) -> DeploymentAnswer:
    """Have a deployed model proved once more."""
    deployment = service.prove_again(session, model_id, by=person)
    not_yet(response, f"/v1/deployments/{deployment.id}")
    return shown(session, deployment)


@api.get("/v1/deployments/{deployment_id}")
def deployment(session: ReadSession, person: CurrentPerson, deployment_id: Id) -> DeploymentAnswer:
    """How a model on an engine stands."""
    return shown(session, queries.deployment(session, deployment_id), domain=person.domain)


@api.post("/v1/models/load", responses=under_way(DeploymentAnswer))
def load(state: TheState, person: CurrentPerson, body: ModelBody, response: Response) -> DeploymentAnswer:
    """Have a registered model, base or fine-tuned, loaded in an engine. 202 while the engine is not that far."""
    with state.database.transaction() as session:
        wanted = service.deploy(session, body.model_id, by=person)
    return deployed(wait_for_deployment(state.database, wanted.id), response)


@api.post("/v1/models/switch", responses=under_way(SwitchAnswer))
def switch(
    state: TheState, person: CurrentPerson, after_switch: AfterSwitch, body: ModelBody, response: Response
) -> SwitchAnswer:
    """Give callers who name no model this one, loading it first if needed; 200 when the next request gets it.

    202: it is not loaded and proved yet, and nothing was switched. Ask again when its deployment is proved.
    """
    with state.database.transaction() as session:
        wanted = service.deploy(session, body.model_id, by=person)
    found = wait_for_deployment(state.database, wanted.id, until_proved=True)
    if not (found.is_live and found.is_proved):
        return switched(found, response)
    with state.database.transaction() as session:
        alias = service.switch(session, found.deployment.model_id, by=person)
    after_switch()
    return switched(found, response, alias)


@api.post("/v1/models/switch/undo", responses=under_way(SwitchAnswer))
def undo_switch(state: TheState, person: CurrentPerson, after_switch: AfterSwitch, response: Response) -> SwitchAnswer:
    """Go back to the model that callers got before."""
    with state.database.transaction() as session:
        alias = service.undo_switch(session, by=person)
        wanted = queries.deployment_of(session, alias.targets[0]["model_id"])
    found = wait_for_deployment(state.database, wanted.id)
    after_switch()
    return switched(found, response, alias)


@api.get("/v1/aliases")
def list_aliases(session: ReadSession, person: CurrentPerson) -> AliasesAnswer:
    """Every stable name that callers may use, and the models that it leads to."""
    found = queries.aliases(session, domain=person.domain)
    return AliasesAnswer(aliases=[alias_answer(session, alias) for alias in found])


@api.get("/v1/aliases/{alias}")
def one_alias(session: ReadSession, person: CurrentPerson, alias: Id) -> AliasAnswer:
    """One stable name."""
    return alias_answer(session, aliases.one(session, alias, domain=person.domain))


@api.put("/v1/aliases/{alias}")
def point_alias(
    state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: Id, body: AliasBody
) -> AliasAnswer:
    """Make an alias, or change what it leads to; when this answers, the next request goes by it.

    Only proved models are taken, and those that `force` names; that is written down.
    """
    with state.database.transaction() as session:
        row = aliases.point(session, alias, body.parts, by=person, why=body.why, force=body.force)
        answer = alias_answer(session, row)
    after_switch()
    return answer


@api.delete("/v1/aliases/{alias}")
def remove_alias(state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: Id) -> AliasAnswer:
    """Take a stable name away; answers with what it was. Undoing brings it back."""
    with state.database.transaction() as session:
        answer = alias_answer(session, aliases.one(session, alias, domain=person.domain))
        shadow.remove_alias(session, alias, by=person)
    after_switch()
    return answer


@api.post("/v1/aliases/{alias}/undo")
def undo_alias(state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: Id) -> AliasAnswer:
    """Make an alias what it was before its last change, or bring a removed one back."""
    with state.database.transaction() as session:
        answer = alias_answer(session, service.undo_alias(session, alias, by=person))
    after_switch()
    return answer


@api.get("/v1/aliases/{alias}/history")
def alias_history(
    session: ReadSession, person: CurrentPerson, alias: Id, before: BeforeSeq = None, limit: Limit = 50
) -> HistoryAnswer:
    """What changed about an alias, who did it and why, newest first; also of one that was removed."""
    found = queries.alias_history(session, alias, domain=person.domain, before=before, limit=limit)
    return HistoryAnswer.of(found, limit)


@api.get("/v1/aliases/{alias}/traffic")
def alias_traffic(session: ReadSession, person: CurrentPerson, alias: Id, minutes: Minutes = 60) -> TrafficAnswer:
    """What was counted about the models behind an alias in the last minutes; a few seconds behind."""
    return traffic_answer(session, alias, minutes, domain=person.domain)


@api.get("/v1/aliases/{alias}/rollouts")
def alias_rollouts(session: ReadSession, person: CurrentPerson, alias: Id, limit: Limit = 20) -> RolloutsAnswer:
    """The roll-outs of an alias, newest first."""
    found = rollouts.page(session, alias, domain=person.domain, limit=limit)
    return RolloutsAnswer(rollouts=[rollout_answer(session, row) for row in found])


@api.post("/v1/aliases/{alias}/rollouts", status_code=201)
def start_rollout(
    state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: Id, body: RolloutBody
) -> RolloutAnswer:
    """Give a new model a growing share of an alias, watched; it is rolled back by itself when it is worse."""
    with state.database.transaction() as session:
        row = rollouts.start(session, alias, body.model_id, body.plan, by=person)
        answer = rollout_answer(session, row)
    after_switch()
    return answer


@api.post("/v1/aliases/{alias}/rollouts/continue")
def continue_rollout(
    state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: Id, body: WhyBody | None = None
) -> RolloutAnswer:
    """Go on to the next share now; at the last one, end the roll-out as succeeded."""
    with state.database.transaction() as session:
        row = rollouts.current(session, alias, domain=person.domain)
        answer = rollout_answer(session, rollouts.go_on(session, row, by=person, why=body.why if body else ""))
    after_switch()
    return answer


@api.post("/v1/aliases/{alias}/rollouts/back")
def roll_back(
    state: TheState, person: CurrentPerson, after_switch: AfterSwitch, alias: Id, body: WhyBody | None = None
) -> RolloutAnswer:
    """Give everything back to the models that were there before."""
    why = (body.why if body else "") or f"Rolled back by {person.name}."
    with state.database.transaction() as session:
        row = rollouts.current(session, alias, domain=person.domain)
        answer = rollout_answer(session, rollouts.roll_back(session, row, by=person, why=why))
    after_switch()
    return answer


@api.get("/v1/models/active")
def active(session: ReadSession, person: CurrentPerson) -> ActiveModelsAnswer:
    """What is live where, since when, proved or not."""
    found = [ActiveAnswer.of(item) for item in queries.active(session, domain=person.domain)]
    alias = queries.alias(session, domain=person.domain, name=DEFAULT_ALIAS)
    default = alias.targets[0]["model_id"] if alias is not None and alias.targets else None
    return ActiveModelsAnswer(models=found, default=default)


@api.get("/v1/deployment-history")
def history(
    session: ReadSession,
    person: CurrentPerson,
    model_id: Name | None = None,
    before: BeforeSeq = None,
    limit: Limit = 50,
) -> HistoryAnswer:
    """What changed about what is live, and who did it, newest first."""
    found = queries.history(session, domain=person.domain, model_id=model_id, before=before, limit=limit)
    return HistoryAnswer.of(found, limit)


@api.get("/v1/engines")
def list_engines(session: ReadSession, person: CurrentPerson) -> EnginesAnswer:
    """Every engine: ours, attached ones, providers."""
    found = queries.page(session, domain=person.domain)
    return EnginesAnswer(engines=[EngineAnswer.model_validate(engine) for engine in found])


@api.post("/v1/engines", status_code=201)
def add(session: Session, person: CurrentPerson, home: TheHome, body: EngineBody, response: Response) -> EngineAnswer:
    """Use a vLLM that runs already, or an outside provider with a key and a price."""
    engine = add_engine(session, body, by=person)
    if body.key is not None:
        engines.write_key(home, engine.id, body.key.get_secret_value())
    made(response, f"/v1/engines/{engine.id}")
    return EngineAnswer.model_validate(engine)


@api.get("/v1/engines/{engine_id}")
def one_engine(session: ReadSession, person: CurrentPerson, engine_id: Id) -> EngineAnswer:
    """One engine and what it is doing."""
    return EngineAnswer.model_validate(engine_for(session, engine_id, person))


@api.delete("/v1/engines/{engine_id}")
def remove_engine(session: Session, person: CurrentPerson, home: TheHome, engine_id: Id) -> EngineAnswer:
    """Use an attached engine or a provider no more, and forget its key. One of ours is only stopped."""
    engine = outside.remove_engine(session, engine_for(session, engine_id, person).id, by=person)
    if engine.kind != EngineKind.OURS.value:
        engines.forget_key(home, engine.id)
    return EngineAnswer.model_validate(engine)


@api.post("/v1/engines/{engine_id}/stop")
def stop_engine(session: Session, person: CurrentPerson, engine_id: Id) -> EngineAnswer:
    """Stop an engine of ours, or leave one alone that is not; deploying a model brings it back."""
    engine = engine_for(session, engine_id, person)
    return EngineAnswer.model_validate(service.stop_engine(session, engine.id, by=person))


@api.post("/v1/engines/{engine_id}/places")
def set_places(session: Session, person: CurrentPerson, engine_id: Id, body: PlacesBody) -> EngineAnswer:
    """Have an engine hold so many adapters ready at once; it starts again when it has fewer."""
    engine = engine_for(session, engine_id, person)
    return EngineAnswer.model_validate(service.set_places(session, engine.id, body.num_places, by=person))


@api.post("/v1/engines/{engine_id}/copies")
def set_copies(session: Session, person: CurrentPerson, engine_id: Id, body: CopiesBody) -> EngineAnswer:
    """Have so many engines with this one's base model answer, itself included; each starts where there is room."""
    engine = engine_for(session, engine_id, person)
    return EngineAnswer.model_validate(service.set_copies(session, engine.id, body.num_copies, by=person))
