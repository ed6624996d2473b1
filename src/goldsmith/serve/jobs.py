"""The long work of serving: proving a load. The receipt decides; this writes down what it found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.jobs.kinds import Keeper, LightKind, WorkContext
from goldsmith.jobs.types import Stage
from goldsmith.models import queries as models
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import queries, receipt, service
from goldsmith.serve.crowding import CrowdingKeeper
from goldsmith.serve.kept.jobs import KeptKeeper
from goldsmith.serve.merged import receipt as merged_receipt
from goldsmith.serve.merged import service as merging
from goldsmith.serve.receipt import Finding, Subject
from goldsmith.serve.rollout_keeper import RolloutKeeper
from goldsmith.serve.shadow.jobs import PairKeeper
from goldsmith.serve.tables import Deployment, Receipt
from goldsmith.serve.types import Proof
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id


def keepers_of_serving(database: Database, home: Home) -> list[Keeper]:
    """What is ticked for serving, beside the engines themselves."""
    return [RolloutKeeper(database, home), CrowdingKeeper(database), KeptKeeper(database), PairKeeper(database)]


@dataclass(frozen=True)
class ProveKind(LightKind):
    """Proves one load of one model. `tolerance_nats` depends on the device of the engine."""

    tolerance_nats: float = receipt.TOLERANCE_NATS
    name: ClassVar[str] = "prove"
    stages: ClassVar[tuple[Stage, ...]] = (Stage("prove"),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Measure, then write. A load that is not the current one any more is left alone."""
        del stage
        with context.database.reading() as session:
            deployment = _current(session, context)
            if deployment is None:
                return {"outcome": "outdated"}
            merged = _merged(session, deployment)
            subject = self._subject(session, context, deployment)
        if merged is None:
            finding = receipt.prove(subject, context.report)
        else:
            finding = merged_receipt.prove(subject, merged.content_hash, context.report)
        with context.transaction() as session:
            deployment = _current(session, context)
            if deployment is None:
                return {"outcome": "outdated"}
            return _write(session, deployment, finding, context)

    def _subject(self, session: Session, context: WorkContext, deployment: Deployment) -> Subject:
        engine = queries.one(session, deployment.engine_id)
        merged = _merged(session, deployment)
        model = session.get_one(FineTunedModel, merged.merged_from if merged is not None else deployment.model_id)
        base = merged or session.get_one(BaseModel, model.base_model_id)
        target = queries.target_of(deployment, engine)
        return Subject(
            model_id=deployment.model_id,
            folder=models.folder_of(context.home, model),
            template_hash=model.template_hash,
            lora_rank=model.lora_rank,
            base_folder=models.folder_of(context.home, base),
            base_name=engine.provider_model or base.id,
            max_lora_rank=engine.max_lora_rank,
            url=target.url,
            key=target.read_key(context.home.root),
            tolerance_nats=self.tolerance_nats,
        )


def _merged(session: Session, deployment: Deployment) -> BaseModel | None:
    """The merged model, if one is deployed here."""
    base = session.get(BaseModel, deployment.model_id)
    return base if base is not None and base.merged_from is not None else None


def _current(session: Session, context: WorkContext) -> Deployment | None:
    """The deployment, if what this job should prove is still what is loaded."""
    deployment = queries.deployment(session, str(context.job.params["deployment_id"]))
    engine = queries.one(session, deployment.engine_id)
    is_same = deployment.generation == context.job.params["generation"] == engine.generation
    is_wanted = deployment.is_wanted and deployment.prove_job_id == context.job.id
    return deployment if is_same and is_wanted and queries.is_live(deployment, engine) else None


def _write(session: Session, deployment: Deployment, finding: Finding, context: WorkContext) -> dict[str, Any]:
    row = Receipt(
        id=new_id(Prefix.RECEIPT),
        model_id=deployment.model_id,
        engine_id=deployment.engine_id,
        is_green=finding.is_green,
        reason=finding.reason,
        lines=[line.to_dict() for line in finding.lines],
        num_learn_rows=finding.num_learn_rows,
        num_exam_rows=finding.num_exam_rows,
        duration_s=round(finding.duration_s, 2),
        measured_at=clock.now(),
    )
    session.add(row)
    deployment.receipt_id = row.id
    if finding.is_green:
        deployment.proof, deployment.message = Proof.PROVED.value, ""
        merged = _merged(session, deployment)
        if merged is None:
            _write_metrics(session.get_one(FineTunedModel, deployment.model_id), finding, row)
        elif merging.is_to_be_timed(session, merged):
            merging.queue_speed(session, merged, by=Person(context.job.created_by, "", context.job.domain))
    else:
        by = Person(context.job.created_by, "Goldsmith", context.job.domain)
        service.refuse(session, deployment, finding.reason, by=by)
    session.flush()
    return {"outcome": deployment.proof, "receipt_id": row.id, "reason": finding.reason}


def _write_metrics(model: FineTunedModel, finding: Finding, row: Receipt) -> None:
    """What was measured, and when; what was not stays as it was."""
    measured = {"latency_ms": finding.latency_ms, "tokens_per_second": finding.tokens_per_second}
    by = {"at": row.measured_at.isoformat(), "by": row.id}
    for name, value in measured.items():
        if value is not None:
            setattr(model, name, value)
            model.measured_at = {**(model.measured_at or {}), name: by}
    model.updated_at = row.measured_at
