"""What lies under the home's `environments/`: found, listed, locked against two at once, removed.

An environment is built at its final place, because its scripts hold absolute paths, and its manifest is written last:
a folder without a manifest does not count, and the next install removes it. Knows nothing of pip.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from goldsmith.environments import locks
from goldsmith.environments.errors import EnvironmentInUse, EnvironmentMissing, InstallUnderWay
from goldsmith.environments.types import Environment, EnvironmentName, EnvironmentStatus
from goldsmith.storage.files import Home, remove_folder, write_whole

MANIFEST = "goldsmith-environment.json"


@dataclass(frozen=True)
class Manifest:
    """What an install writes last; with it the folder is an environment."""

    name: str
    target: str
    lock_hash: str
    lock_status: str
    python_version: str
    installed_at: str
    install_s: float
    size_bytes: int
    packages: dict[str, str]
    unproved_hashes: dict[str, str] = field(default_factory=dict)
    """Packages whose file was another build than the lock knows, with the hash of that file."""


def path_of(name: EnvironmentName, *, home: Path) -> Path:
    """Where the environment is, or will be."""
    return Home(home).environments / name


def find(name: EnvironmentName, *, home: Path) -> Environment:
    """The environment as it is on disk; one that is not there is an answer, not an error."""
    path = path_of(name, home=home)
    manifest = read_manifest(path)
    if manifest is None:
        status = EnvironmentStatus.BROKEN if path.exists() else EnvironmentStatus.MISSING
        return Environment(name, path, False, None, None, None, status)
    is_current = manifest.lock_hash == _shipped_hash(name, manifest.target)
    return Environment(
        name=name,
        path=path,
        is_installed=True,
        size_bytes=manifest.size_bytes,
        python_version=manifest.python_version,
        lock_hash=manifest.lock_hash,
        status=EnvironmentStatus.INSTALLED if is_current else EnvironmentStatus.OUTDATED,
    )


def page(*, home: Path) -> list[Environment]:
    """Every environment that Goldsmith knows, installed or not."""
    return [find(name, home=home) for name in EnvironmentName]


def python_of(name: EnvironmentName, *, home: Path) -> Path:
    """The interpreter of an installed environment, to be started as `PYTHON -E -s -m …`; else `EnvironmentMissing`."""
    environment = find(name, home=home)
    if not environment.is_installed:
        how = "only half there" if environment.status is EnvironmentStatus.BROKEN else "not installed"
        raise EnvironmentMissing(f"The environment {name} is {how}.", hint=f"Run: goldsmith env install {name}")
    return environment.python


def packages_of(name: EnvironmentName, *, home: Path) -> Path:
    """The folder of an installed environment's packages, for programs that another one's Python runs."""
    return next((python_of(name, home=home).parents[1] / "lib").glob("python3.*/site-packages"))


def remove(name: EnvironmentName, *, home: Path) -> None:
    """Delete an environment, whole or half; refused while something runs in it."""
    path = path_of(name, home=home)
    if not path.exists():
        raise EnvironmentMissing(f"The environment {name} is not installed.", hint="There is nothing to remove.")
    with only_one(name, home=home):
        refuse_if_in_use(path)
        # Without its manifest it no longer counts, so a removal that is cut off leaves nothing that looks whole.
        (path / MANIFEST).unlink(missing_ok=True)
        remove_folder(path)


@contextmanager
def only_one(name: EnvironmentName, *, home: Path) -> Iterator[int]:
    """Hold the lock of one environment, or raise `InstallUnderWay` at once.

    Yields the lock's file descriptor: a child that inherits it holds the lock too, should its parent be killed.
    """
    folder = Home(home).environments
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InstallUnderWay(f"The environment {name} is being installed or removed by another process.") from None
        yield descriptor
    finally:
        os.close(descriptor)


def refuse_if_in_use(path: Path) -> None:
    """Raise `EnvironmentInUse` if a process was started with this environment's interpreter."""
    bin_folder = f"{path.absolute()}{os.sep}bin{os.sep}"
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        if any(part.startswith(bin_folder) for part in command[:2]):
            raise EnvironmentInUse(f"Process {process.info['pid']} runs in the environment {path.name}.")


def read_manifest(path: Path) -> Manifest | None:
    """The manifest in an environment's folder; null if there is none that can be read, or no interpreter with it."""
    try:
        manifest = Manifest(**json.loads((path / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return manifest if (path / "bin" / "python").exists() else None


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Declare the folder an environment."""
    write_whole(path / MANIFEST, json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n")


def _shipped_hash(name: EnvironmentName, target: str) -> str | None:
    return locks.read_lock(name, target).lock_hash if target in locks.targets(name) else None
