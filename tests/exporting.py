"""An export whose child is a stand-in: it writes what the real one would have written, in a millisecond."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session
from tests.factories import make_base_model

from goldsmith.jobs.kinds import WorkContext
from goldsmith.models.exports.child import Exporter
from goldsmith.models.exports.jobs import ExportKind
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.wire import export, manifest
from goldsmith.wire.export import Check, CheckedRow, ExportForm

EXPORTER = Exporter(
    lambda: Path("/environments/trl/bin/python"), lambda: Path("/environments/gguf"), {"PATH": "/bin"}, num_threads=2
)


def check(*, largest_nats: float = 0.02, other: str = "billing", dtype: str = "bfloat16", same: bool = True) -> Check:
    """Two rows; the second is answered with `other`."""
    rows = (
        CheckedRow("row_1", "exam", 0.001, "technical", "technical"),
        CheckedRow("row_2", "exam", largest_nats, "billing", other),
    )
    return Check(dtype, same, rows)


def write_as_child(result: Path, found: Check) -> None:
    """What the child leaves behind."""
    order = export.read_order(result.parent / "job.json")
    model = result / export.MODEL_FOLDER
    model.mkdir(parents=True)
    name = "adapter_model.safetensors" if order.form is ExportForm.ADAPTER else "model.safetensors"
    (model / name).write_bytes(b"numbers")
    (model / "README.md").write_text("# How to use it\n")
    manifest.write(model, form=order.form.value)
    found.write(result)


class StandInExport(ExportKind):
    """The kind itself, with a child that found `found`."""

    def __init__(self, found: Check | None = None) -> None:
        super().__init__(EXPORTER)
        self.found = found or check()

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """The heavy stage is done here."""
        if stage != "write":
            return super().work(stage, context)
        write_as_child(context.folder.result, self.found)
        return {}


def make_kept_model(
    session: Session, home: Home, *, by: Person, base: BaseModel | None = None, name: str = "Support triage"
) -> FineTunedModel:
    """A fine-tuned model whose files, and whose base model's, are there."""
    base = base or make_base_model(session, by=by)
    base.folder = "models/base/tiny"
    (home.root / base.folder).mkdir(parents=True, exist_ok=True)
    model_id = new_id(Prefix.FINE_TUNED_MODEL)
    folder = home.models / "tuned" / model_id
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"numbers")
    (folder / "probe.jsonl").write_text(json.dumps({"row_id": "row_1"}) + "\n")
    manifest.write(folder)
    now = clock.now()
    model = FineTunedModel(
        id=model_id,
        name=name,
        base_model=base.name,
        base_model_id=base.id,
        philosopher=by.name,
        domain=by.domain,
        training_config={},
        model_path=str(folder.relative_to(home.root)),
        content_hash="0" * 64,
        template_hash="0" * 64,
        lora_rank=8,
        model_size_mb=9.8,
        measured_at={},
        created_by=by.id,
        created_at=now,
        updated_at=now,
    )
    session.add(model)
    session.flush()
    return model
