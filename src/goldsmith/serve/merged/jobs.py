"""The long work of merging: have the weights written and checked, keep them, deploy them; later measure their speed.

Started again after a death, every stage begins anew; merged weights are kept under their content hash and never change.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import JobKind, LightKind, WorkContext
from goldsmith.jobs.types import Stage
from goldsmith.models import inspection, queries
from goldsmith.models import jobs as model_jobs
from goldsmith.models import service as models
from goldsmith.models.exports import child, verdict
from goldsmith.models.exports.child import Exporter, WrittenByChild
from goldsmith.models.exports.jobs import ExportKind
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.serve import engine as processes
from goldsmith.serve import probe
from goldsmith.serve import queries as serve
from goldsmith.serve import service as serving
from goldsmith.serve.engine import EngineFiles
from goldsmith.serve.merged import service, speed
from goldsmith.serve.types import EngineKind
from goldsmith.storage import amounts
from goldsmith.wire.export import ExportForm


class MergeKind(WrittenByChild):
    """Merges a fine-tuned model and has it deployed."""

    name: ClassVar[str] = service.KIND_MERGE
    stages: ClassVar[tuple[Stage, ...]] = (Stage("prepare"), Stage("write", is_heavy=True), Stage("keep"))

    def __init__(self, exporter: Exporter, *, dtype: str | None) -> None:
        super().__init__(exporter)
        self._dtype = dtype

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Prepare before the child, keep after it. Raises NoRoomForModel, ModelNotWhole and JobFailed."""
        if stage == "prepare":
            order, num_bytes = self.prepare(context, ExportForm.MERGED, self._dtype, num_copies=1)
            context.report(None, f"{amounts.size(num_bytes)} will be written for {order.model_name}")
            return {}
        return _keep(context)


class SpeedKind(LightKind):
    """Measures how much faster a merged model is than its adapter."""

    name: ClassVar[str] = service.KIND_SPEED
    stages: ClassVar[tuple[Stage, ...]] = (Stage("measure"),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Ask both in turn. Raises JobFailed when the merged model is not on its engine."""
        del stage
        with context.database.reading() as session:
            base = session.get_one(BaseModel, context.job.subject_id)
            tuned = session.get_one(FineTunedModel, base.merged_from)
            target = serve.target_for(session, base.id)
            engine = serve.one(session, target.engine_id)
            folder = queries.folder_of(context.home, tuned)
        if not target.is_ready:
            hint = "Deploy it, wait until it is proved, then try this again."
            raise JobFailed(f"{base.name} is not on its engine.", hint=hint, kind="not_loaded")
        prompts = [row.prompt_ids for row in probe.read(folder)][: speed.NUM_CALLERS]
        key = target.read_key(context.home.root)
        name = f"speed-{context.job.id}-{context.job.attempt}"
        if engine.kind == EngineKind.OURS.value:
            _take_place(EngineFiles.of(context.home, engine.id), name, engine.max_loras)
        contest = speed.Contest(target.url, key, target.model_name, name, folder, prompts)
        found = speed.measure(contest, context.report)
        context.report(1, found.sentence)
        return found.to_dict()


def _take_place(files: EngineFiles, name: str, max_loras: int) -> None:
    """Count the load: an adapter's place is used up by it, and is not given back when it is unloaded.

    The rule for a CPU holds here for every engine: what is only measured may be refused. Raises JobFailed.
    """
    if not processes.has_room(files, max_loras=max_loras, device="cpu"):
        hint = "Take the merged model off its engine and deploy it again: its engine starts with empty places."
        raise JobFailed("The engine's places for adapters are used up.", hint=hint, kind="no_place")
    processes.note_load(files, name)


def written_anew(exporter: Exporter, *, device: str) -> tuple[JobKind, ...]:
    """The kinds that have a fine-tuned model's weights written anew, and the one that measures what it brought.

    Merged weights are kept in what the engine computes in, so that nothing is rounded twice.
    """
    return ExportKind(exporter), MergeKind(exporter, dtype="float32" if device == "cpu" else None), SpeedKind()


def _keep(context: WorkContext) -> Mapping[str, Any]:
    check = child.read_check(context.folder)
    found = verdict.judge(check)
    if not found.is_good:
        hint = "Nothing was changed: the model goes on with its adapter, which is exact."
        raise JobFailed(f"Merged, it does not answer the same: {found.reason}", hint=hint, kind="merge_not_good")
    with context.database.reading() as session:
        tuned = session.get_one(FineTunedModel, context.job.subject_id)
        known = service.merged_of(session, tuned)
    if known is None or not queries.folder_of(context.home, known).is_dir():
        known = _register(context, tuned)
    child.tidy(context.folder)
    with context.transaction() as session:
        by = Person(context.job.created_by, "", context.job.domain)
        serving.deploy(session, known.id, by=by, may_displace=False)
    context.report(1, f"merged as {known.name}; its engine starts when there is room for it")
    return {"base_model_id": known.id, "name": known.name, "reason": found.reason, "check": asdict(check)}


def _register(context: WorkContext, tuned: FineTunedModel) -> BaseModel:
    written = child.insist_on_whole(context.folder)
    facts = inspection.inspect_folder(written)
    kept = model_jobs.keep(context.home, written, facts, is_ours=True)
    with context.transaction() as session:
        base = session.get_one(BaseModel, tuned.base_model_id)
        model = BaseModel(source=service.SOURCE, merged_from=tuned.id, licence=base.licence, domain=tuned.domain)
        model.name, model.created_by = service.free_name(session, tuned), context.job.created_by
        model.folder = str(kept.relative_to(context.home.root))
        return models.register_base(session, facts, model)
