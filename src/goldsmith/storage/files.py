"""Files that are whole or not there: written to a temporary name, synced, renamed. Hashes and checked names too.

Also the layout of the home folder. Knows no step of the loop; `jobs/folder.py` knows what is in a job folder.
"""

import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Home:
    """The home folder and what lies where in it."""

    root: Path
    sealing_key_file: Path | None = None
    """Where the key lies that seals secrets, when not among them."""

    @property
    def environments(self) -> Path:
        """One folder for each environment of heavy programs."""
        return self.root / "environments"

    @property
    def models(self) -> Path:
        """Base models by content hash, fine-tuned models by id."""
        return self.root / "models"

    @property
    def jobs(self) -> Path:
        """One folder for each job that has files."""
        return self.root / "jobs"

    @property
    def uploads(self) -> Path:
        """Uploaded originals by their SHA-256."""
        return self.root / "uploads"

    @property
    def exports(self) -> Path:
        """Fine-tuned models that were taken out, one folder for each job; can be made again from what is kept."""
        return self.root / "exports"

    @property
    def training_sets(self) -> Path:
        """One folder for each training set."""
        return self.root / "training-sets"

    @property
    def engines(self) -> Path:
        """Logs and keys of engines that we start."""
        return self.root / "engines"

    @property
    def secrets(self) -> Path:
        """Keys and passwords, 0600, never in the database or a backup."""
        return self.root / "secrets"

    def own_secret(self, name: str) -> str:
        """A secret with which what we say is signed; made the first time."""
        path = self.secrets / f"{name}.key"
        if not path.exists():
            write_whole(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii")

    @property
    def sealing_key(self) -> Path:
        """The key with which secrets are sealed (`sealing.py`)."""
        return self.sealing_key_file or self.secrets / "sealing.key"

    @property
    def run(self) -> Path:
        """Pid files and locks of running processes."""
        return self.root / "run"

    def prepare(self) -> "Home":
        """Make the folders, readable by their owner alone, whatever the umask."""
        for folder in (
            self.root,
            self.models,
            self.jobs,
            self.uploads,
            self.training_sets,
            self.engines,
            self.secrets,
            self.run,
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)
        self.secrets.chmod(0o700)
        return self


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under `path` only when all of it is on disk; on an error nothing is left."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file that is whole or not there, readable by its owner alone."""
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex; memory stays bounded."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_safe_name(name: str) -> bool:
    """Whether a name may become a file name or an engine's model name."""
    return NAME_PATTERN.fullmatch(name) is not None


def is_under(path: Path, roots: tuple[Path, ...]) -> bool:
    """Whether `path`, links resolved, lies in one of the folders."""
    real = path.resolve()
    return any(real.is_relative_to(root.resolve()) for root in roots)


def folder_size_bytes(folder: Path) -> int:
    """The bytes of all files in a folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def remove_folder(folder: Path) -> None:
    """Delete a folder without following a link out of it; an absent one is fine."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
