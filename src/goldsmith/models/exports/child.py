"""The child that makes an export, seen from its parent: what it needs, how it is told and started, what it found.

Used by every job that has weights of a fine-tuned model written anew.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from goldsmith.environments import folders
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import program
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobView, Launch
from goldsmith.models import queries
from goldsmith.models.errors import ModelNotWhole, NoRoomForModel
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.storage import amounts
from goldsmith.storage.files import Home, folder_size_bytes, remove_folder, write_whole
from goldsmith.wire import export, manifest
from goldsmith.wire.events import Event, EventKind
from goldsmith.wire.export import Check, ExportForm, ExportOrder

PROGRAM = "goldsmith.trainers.export_model"
BYTES_A_WEIGHT: Mapping[str | None, int] = {"float32": 4, None: 2, "float16": 2, "bfloat16": 2}
SPARE_BYTES = 200_000_000
"""Room that is left free on the disk, for the database and for logs."""


@dataclass(frozen=True)
class Exporter:
    """How the child is started. `num_threads` is what the machine has."""

    python: Callable[[], Path]
    converter: Callable[[], Path]
    """Where llama.cpp's converter is; only for GGUF. Raises EnvironmentMissing."""
    parent_env: Mapping[str, str]
    num_threads: int | None = None

    @classmethod
    def of(cls, home: Home, parent_env: Mapping[str, str], num_threads: int | None) -> "Exporter":
        """With the environments of this home."""
        return cls(
            lambda: folders.python_of(EnvironmentName.TRL, home=home.root),
            lambda: folders.packages_of(EnvironmentName.GGUF, home=home.root),
            parent_env,
            num_threads,
        )

    def prepare(self, session: Session, home: Home, job: JobView, form: ExportForm, dtype: str | None) -> ExportOrder:
        """What the child will be told. Raises EnvironmentMissing and ModelNotWhole."""
        self.python()
        model = session.get_one(FineTunedModel, job.subject_id)
        base = session.get_one(BaseModel, model.base_model_id)
        folders = queries.folder_of(home, base), queries.folder_of(home, model)
        if not folders[0].is_dir() or manifest.read_whole(folders[1]) is None:
            which = base.name if not folders[0].is_dir() else model.name
            raise ModelNotWhole(f"The files of {which} are not all there, or not as they were written.")
        return ExportOrder(
            form=form,
            model_id=model.id,
            model_name=model.name,
            base_model_name=base.hub_id or base.name,
            base_folder=str(folders[0].resolve()),
            adapter_folder=str(folders[1].resolve()),
            dtype=dtype,
            num_threads=self.num_threads,
            converter=str(self.converter().resolve()) if form is ExportForm.GGUF else None,
        )

    def write(self, folder: JobFolder, order: ExportOrder, title: str) -> None:
        """Put what the child needs into the job's folder."""
        program.copy_program(folder)
        write_whole(folder.order, order.to_json())
        program.write_readme(folder, title, self._command(1))

    def launch(self, job: JobView, folder: JobFolder) -> Launch:
        """The child itself. Raises EnvironmentMissing."""
        return program.launch(folder, self._command(job.attempt), self.parent_env)

    def _command(self, attempt: int) -> tuple[str, ...]:
        return program.command(self.python(), PROGRAM, ("--order", "../job.json", "--attempt", str(attempt)))


class WrittenByChild:
    """A kind of job whose heavy stage is the child. Subclasses have `name`, `stages` and `work`."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter

    def prepare(
        self, context: WorkContext, form: ExportForm, dtype: str | None, *, num_copies: int
    ) -> tuple[ExportOrder, int]:
        """Tell the child, if it can work; and about how many bytes will be written. Raises NoRoomForModel too."""
        with context.database.reading() as session:
            order = self._exporter.prepare(session, context.home, context.job, form, dtype)
            model = session.get_one(FineTunedModel, context.job.subject_id)
            num_parameters = session.get_one(BaseModel, model.base_model_id).num_parameters
        wanted_bytes = num_copies * num_bytes(order, num_parameters)
        refuse_if_no_room(context.home, wanted_bytes)
        self._exporter.write(context.folder, order, f"{order.model_name}, {form.value}")
        return order, wanted_bytes

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


def num_bytes(order: ExportOrder, num_parameters: int) -> int:
    """About how much the child will write."""
    adapter = folder_size_bytes(Path(order.adapter_folder))
    return adapter if order.form is ExportForm.ADAPTER else adapter + num_parameters * BYTES_A_WEIGHT[order.dtype]


def refuse_if_no_room(home: Home, wanted_bytes: int) -> None:
    """Raise NoRoomForModel, with what is needed and what is free, before anything is written."""
    free_bytes = shutil.disk_usage(home.root).free
    if free_bytes < wanted_bytes + SPARE_BYTES:
        wanted, free = amounts.size(wanted_bytes + SPARE_BYTES), amounts.size(free_bytes)
        hint = "Free some room, or remove exports that nobody needs any more; then start it again."
        raise NoRoomForModel(f"This needs {wanted} on the disk, and {free} are free.", hint=hint)


def read_check(folder: JobFolder) -> Check:
    """What the child found. Raises JobFailed when it is not there."""
    try:
        return export.read_check(folder.result)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _not_whole() from error


def insist_on_whole(folder: JobFolder) -> Path:
    """The model's folder, exactly as the child wrote it. Raises JobFailed when it is not."""
    written = folder.result / export.MODEL_FOLDER
    if manifest.read_whole(written) is None:
        raise _not_whole()
    return written


def _not_whole() -> JobFailed:
    hint = "Start it again; it begins anew."
    return JobFailed("What was written is not whole.", hint=hint, kind="result_not_whole")


def tidy(folder: JobFolder) -> None:
    """Free what the child wrote, once it is kept elsewhere; what it found stays."""
    remove_folder(folder.result / export.MODEL_FOLDER)
