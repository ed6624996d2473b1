"""The long work of an export: look whether it can be made, have the child make and check it, pack it into one file.

Started again after a death, every stage begins anew; the file appears under its name only when it is whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobView, Launch, Stage
from goldsmith.models.exports import child, packing, queries, verdict
from goldsmith.models.exports.child import Exporter
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.storage import amounts
from goldsmith.storage.files import remove_folder, sha256_of
from goldsmith.wire.events import Event, EventKind
from goldsmith.wire.export import ExportForm


class ExportKind:
    """Takes a fine-tuned model out into one file."""

    name: ClassVar[str] = queries.KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("prepare"), Stage("write", is_heavy=True), Stage("pack"))

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter

    @classmethod
    def of(cls, python: Callable[[], Path], parent_env: Mapping[str, str], *, num_threads: int) -> "ExportKind":
        """With a child in the environment whose Python this is."""
        return cls(Exporter(python, parent_env, num_threads))

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Prepare before the child, pack after it. Raises NoRoomForModel, ModelNotWhole and JobFailed."""
        return self._prepare(context) if stage == "prepare" else _pack(context)

    def launch(self, job: JobView, folder: JobFolder) -> Launch:
        """The child. Raises EnvironmentMissing."""
        return self._exporter.launch(job, folder)

    def on_event(self, session: Session, job: Job, event: Event) -> None:
        """Say what it is doing."""
        del session
        if event.kind in (EventKind.PHASE, EventKind.LOG):
            job.message = str(event.data.get("text", ""))[:1000]

    def mirror(self, session: Session, job: Job) -> None:
        """Nothing else keeps its state."""

    def _prepare(self, context: WorkContext) -> Mapping[str, Any]:
        form = ExportForm(context.job.params["form"])
        with context.database.reading() as session:
            order = self._exporter.prepare(session, context.home, context.job, form, None)
            model = session.get_one(FineTunedModel, context.job.subject_id)
            num_parameters = session.get_one(BaseModel, model.base_model_id).num_parameters
        # Once as a folder that is checked, once in the file that is taken away.
        wanted_bytes = 2 * child.num_bytes(order, num_parameters)
        child.refuse_if_no_room(context.home, wanted_bytes)
        remove_folder(context.home.exports / context.job.id)  # of an attempt that was broken off
        self._exporter.write(context.folder, order, f"An export of {order.model_name}")
        context.report(None, f"up to {amounts.size(wanted_bytes)} will be written")
        return {}


def _pack(context: WorkContext) -> Mapping[str, Any]:
    check = child.read_check(context.folder)
    found = verdict.judge(check)
    form = str(context.job.params["form"])
    with context.database.reading() as session:
        name = session.get_one(FineTunedModel, context.job.subject_id).name
    target = context.home.exports / context.job.id / packing.file_name(name, form, is_good=found.is_good)
    if not target.is_file():  # it is there already when an attempt died behind it
        try:
            packing.pack(
                child.insist_on_whole(context.folder),
                target,
                on_bytes=lambda num_bytes: context.report(None, f"packing, {amounts.size(num_bytes)} so far"),
                should_stop=context.should_stop,
            )
        except packing.StoppedPacking:
            return {}
    child.tidy(context.folder)
    context.report(1, found.reason)
    facts = {"file": target.name, "size_bytes": target.stat().st_size, "sha256": sha256_of(target)}
    return {"form": form, **facts, **found.to_dict(), "check": asdict(check)}
