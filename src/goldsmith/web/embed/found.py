"""What the parts of another application's page show, looked up within what their token may see."""

from typing import Any

from sqlalchemy import orm

from goldsmith.compare.tables import ModelComparison
from goldsmith.connect.embedding import queries
from goldsmith.connect.embedding.types import Grant
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.states import JobState
from goldsmith.serve import queries as serve
from goldsmith.serve.tables import Deployment
from goldsmith.serve.types import DeploymentState, EngineState, Proof
from goldsmith.storage import clock
from goldsmith.train.tables import TrainingJob
from goldsmith.web.available import BaseModelChoice, TunedModelChoice, available
from goldsmith.web.embed.answers import (
    NowAnswer,
    PartComparison,
    PartDeployment,
    PartSet,
    PartTraining,
    Trouble,
)


def now_of(session: orm.Session, grant: Grant) -> NowAnswer:
    """Everything that the parts show."""
    return NowAnswer(
        philosopher=grant.scope.philosopher,
        domain=grant.scope.domain,
        may=sorted(grant.may),
        seconds_left=max(0.0, (grant.expires_at - clock.now()).total_seconds()),
        training_sets=[PartSet.model_validate(each) for each in queries.training_sets(session, grant)],
        models=_models(session, grant),
        trainings=[training_of(session, each) for each in queries.trainings(session, grant)],
        deployments=_deployments(session, grant),
        comparisons=[comparison_of(session, each) for each in queries.comparisons(session, grant)],
    )


def training_of(session: orm.Session, training: TrainingJob) -> PartTraining:
    """A training with how its job stands."""
    job = jobs.one(session, training.id)
    own = {name: getattr(training, name) for name in PartTraining.model_fields if hasattr(training, name)}
    standing = {"state": job.state, "stop_requested": job.stop_requested, "progress": job.progress}
    return PartTraining(**{**own, **standing, "trouble": _trouble(job.state, job.failure)})


def comparison_of(session: orm.Session, comparison: ModelComparison) -> PartComparison:
    """A comparison with its verdict, if it has come so far."""
    job, verdict = jobs.one(session, comparison.job_id or ""), comparison.verdict or {}
    own = {name: getattr(comparison, name) for name in PartComparison.model_fields if hasattr(comparison, name)}
    standing = {"model_id": comparison.fine_tuned_model_id, "state": job.state, "progress": job.progress}
    said = {"kind": verdict.get("kind"), "sentence": verdict.get("sentence", "")}
    return PartComparison(**{**own, **standing, **said, "trouble": _trouble(job.state, job.failure)})


def deployment_of(session: orm.Session, deployment: Deployment) -> PartDeployment:
    """A model on its engine. What the engine says of itself is for those who run it, not for the page."""
    engine = serve.one(session, deployment.engine_id)
    is_refused = deployment.proof == Proof.REFUSED.value
    return PartDeployment(
        model_id=deployment.model_id,
        is_live=serve.is_live(deployment, engine),
        proof=Proof(deployment.proof),
        has_failed=is_refused or DeploymentState.FAILED.value == deployment.state or engine.state == EngineState.FAILED,
        names=list(serve.aliases_of(session, deployment.model_id, domain=deployment.domain)),
    )


def _models(session: orm.Session, grant: Grant) -> list[TunedModelChoice | BaseModelChoice]:
    tuned, hidden = {each.id for each in queries.tuned(session, grant)}, queries.hidden_bases(session, grant)
    found = available(session, grant.person).models
    return [each for each in found if (each.id in tuned if each.type == "fine_tuned" else each.id not in hidden)]


def _deployments(session: orm.Session, grant: Grant) -> list[PartDeployment]:
    found = queries.deployments(session, [each.id for each in queries.tuned(session, grant)])
    return [deployment_of(session, each) for each in found.values()]


def _trouble(state: str, failure: dict[str, Any] | None) -> Trouble | None:
    if state != JobState.FAILED.value or not failure:
        return None
    return Trouble(summary=failure.get("summary", ""), hint=failure.get("hint", ""))
