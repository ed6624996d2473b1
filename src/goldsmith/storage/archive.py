"""One file with everything that people made: the database and the files, for either database to be restored into.

database/TABLE.jsonl   the rows of each table, all seen at one moment
home/…                 uploads, training sets, fine-tuned models, orders and logs of jobs; base models when asked
manifest.json          last: the hash and size of everything before it, versions, and the names of the secrets

Never in it: environments, secrets, what runs, checkpoints. `storage/restoring.py` reads it.
"""

import hashlib
import json
import platform
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import MetaData

from goldsmith.storage import clock, table_lines
from goldsmith.storage.database import Database
from goldsmith.storage.errors import ArchiveExists
from goldsmith.storage.files import Home, whole_file

FORMAT = "goldsmith-backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
FOLDERS = ("uploads", "training-sets", "models", "jobs")
"""What of the home folder is kept."""
LEFT_OUT_OF_JOBS = ("checkpoints", "result")
"""What a training made lies among the models."""


@dataclass(frozen=True)
class Content:
    """What one file of an archive holds."""

    sha256: str
    size_bytes: int


@dataclass
class Manifest:
    """What the last file of an archive says about the others."""

    schema_revision: str
    made_at: str
    versions: dict[str, str]
    secrets: list[str]
    """Names of what lay in the folder of secrets; whoever restores may need to enter them again."""
    has_base_models: bool
    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    tables: dict[str, int] = field(default_factory=dict)
    """Name → number of rows."""
    contents: dict[str, Content] = field(default_factory=dict)
    """Every file before this one."""

    @property
    def num_rows(self) -> int:
        """The rows of all tables."""
        return sum(self.tables.values())

    @property
    def num_files(self) -> int:
        """The files of the home folder."""
        return len(self.contents) - len(self.tables)


def write(
    path: Path,
    database: Database,
    home: Home,
    *,
    metadata: MetaData,
    schema_revision: str,
    with_base_models: bool = False,
) -> Manifest:
    """Write a backup that is whole or not there; whatever runs may go on. Raises ArchiveExists."""
    if path.exists():
        raise ArchiveExists(f"{path} is there already.")
    manifest = Manifest(
        schema_revision=schema_revision,
        made_at=clock.now().isoformat(),
        versions={"goldsmith": version("goldsmith"), "python": platform.python_version()},
        secrets=sorted(each.name for each in home.secrets.iterdir() if not each.name.startswith(".")),
        has_base_models=with_base_models,
    )
    with whole_file(path) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add_tables(tar, database, metadata, manifest, folder=path.parent)
        for each in _files(home, with_base_models=with_base_models):  # after the rows: their files were whole before
            _add_file(tar, each, f"home/{each.relative_to(home.root).as_posix()}", manifest)
        body = json.dumps(asdict(manifest), indent=1).encode("ascii")
        _add(tar, BytesIO(body), MANIFEST, len(body))
    return manifest


def _add_tables(
    tar: tarfile.TarFile, database: Database, metadata: MetaData, manifest: Manifest, *, folder: Path
) -> None:
    with database.snapshot() as connection:
        for table in metadata.sorted_tables:
            name = table_name(table.name)
            with tempfile.TemporaryFile(dir=folder) as file:
                manifest.tables[table.name] = table_lines.write(connection, table, file)
                size_bytes = file.tell()
                file.seek(0)
                manifest.contents[name] = _add(tar, file, name, size_bytes)


def table_name(table: str) -> str:
    """Where the rows of a table lie in an archive."""
    return f"database/{table}.jsonl"


def _files(home: Home, *, with_base_models: bool) -> Iterator[Path]:
    """What is kept. A name with a dot in front is not whole yet; a pid file would lead to a stranger."""
    for folder in FOLDERS:
        for path in sorted((home.root / folder).rglob("*")):
            parts = path.relative_to(home.root).parts
            is_file = path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in parts)
            is_left_out = folder == "jobs" and (parts[2:3] in [(name,) for name in LEFT_OUT_OF_JOBS])
            is_left_out |= folder == "jobs" and path.suffix == ".pid"
            is_left_out |= parts[:2] == ("models", "base") and not with_base_models
            if is_file and not is_left_out:
                yield path


def _add_file(tar: tarfile.TarFile, path: Path, name: str, manifest: Manifest) -> None:
    try:
        file = path.open("rb")
    except FileNotFoundError:  # deleted in this very moment
        return
    with file:  # a log may grow while it is read: what was there when we looked counts
        manifest.contents[name] = _add(tar, file, name, path.stat().st_size)


def _add(tar: tarfile.TarFile, file: BinaryIO, name: str, size_bytes: int) -> Content:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size_bytes, 0o600, int(clock.now().timestamp())
    hashing = _Hashing(file)
    tar.addfile(member, hashing)
    return Content(hashing.digest.hexdigest(), size_bytes)


class _Hashing:
    """Reads a file, and knows the hash of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, num_bytes: int = -1, /) -> bytes:
        """Some bytes of the file."""
        chunk = self._file.read(num_bytes)
        self.digest.update(chunk)
        return chunk
