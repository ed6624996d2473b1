"""The long work of an export: look whether it can be made, have the child make and check it, pack it into one file.

Started again after a death, every stage begins anew; the file appears under its name only when it is whole.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.types import Stage
from goldsmith.models.exports import child, packing, queries, verdict
from goldsmith.models.exports.child import WrittenByChild
from goldsmith.models.tables import FineTunedModel
from goldsmith.storage import amounts
from goldsmith.storage.files import remove_folder, sha256_of
from goldsmith.wire.export import ExportForm


class ExportKind(WrittenByChild):
    """Takes a fine-tuned model out into one file."""

    name: ClassVar[str] = queries.KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("prepare"), Stage("write", is_heavy=True), Stage("pack"))

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Prepare before the child, pack after it. Raises NoRoomForModel, ModelNotWhole and JobFailed."""
        if stage != "prepare":
            return _pack(context)
        form = ExportForm(context.job.params["form"])
        # Once as a folder that is checked, once in the file that is taken away.
        _, wanted_bytes = self.prepare(context, form, None, num_copies=2)
        remove_folder(context.home.exports / context.job.id)  # of an attempt that was broken off
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
