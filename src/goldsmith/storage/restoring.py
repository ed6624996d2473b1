"""Brings a backup back, wholly or not at all, into a home and a database where there is nothing yet.

Everything is unpacked beside its place and compared with the manifest first; then the rows are inserted in one
transaction, and before that ends the folders are moved into place. The archive may come from anywhere: only plain files
with the names that a backup has are taken. Called by the command line.
"""

import hashlib
import os
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, MetaData, exists, select
from sqlalchemy.exc import OperationalError, StatementError

from goldsmith.storage import table_lines
from goldsmith.storage.archive import FOLDERS, FORMAT, FORMAT_VERSION, MANIFEST, Content, Manifest, table_name
from goldsmith.storage.database import Database
from goldsmith.storage.errors import ArchiveRefused, NotEmpty
from goldsmith.storage.files import Home, remove_folder, sync_folder

MAX_FILES = 1_000_000
MAX_NAME_BYTES = 1024
MAX_MANIFEST_BYTES = 256 * 1024 * 1024
MAX_EXTENSION_BYTES = 64 * 1024
CHUNK_BYTES = 1024 * 1024


def restore(path: Path, database: Database, home: Home, *, metadata: MetaData, schema_revision: str) -> Manifest:
    """Bring a backup back; the database has its tables already. Raises ArchiveRefused and NotEmpty."""
    _check_folders_empty(home)
    with database.reading() as session:
        _check_tables_empty(session.connection(), metadata)
    staging = Path(tempfile.mkdtemp(prefix=".restore-", dir=home.root))
    try:
        manifest = _unpack(path, staging, metadata, schema_revision)
        with ExitStack() as moved:
            with database.transaction() as session:
                _fill(session.connection(), staging, metadata, manifest)
                _move_into_place(staging / "home", home, moved)
            moved.pop_all()  # the rows are there for good, so the files stay
    finally:
        remove_folder(staging)
    return manifest


class _Member(tarfile.TarInfo):
    """A header that may only say: a plain file. Links, devices and endless extensions are refused."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header. Raises ArchiveRefused."""
        member = super().frombuf(buf, encoding, errors)
        is_extension = member.type == tarfile.XHDTYPE and member.size <= MAX_EXTENSION_BYTES
        is_plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
        if member.size < 0 or not (is_plain or is_extension):
            raise ArchiveRefused(f"{member.name[:200]} in the archive is not a plain file.")
        return member


def _check_folders_empty(home: Home) -> None:
    for name in FOLDERS:
        folder = home.root / name
        if folder.exists() and any(folder.iterdir()):
            raise NotEmpty(f"The folder {folder} is not empty.")


def _check_tables_empty(connection: Connection, metadata: MetaData) -> None:
    for table in metadata.sorted_tables:
        if connection.execute(select(exists().select_from(table))).scalar():
            raise NotEmpty(f"The table {table.name} of the database has rows.")


def _unpack(path: Path, staging: Path, metadata: MetaData, schema_revision: str) -> Manifest:
    """Unpack everything, and compare it with the manifest. Raises ArchiveRefused."""
    try:
        with tarfile.open(path, "r:", tarinfo=_Member) as tar:
            found, manifest = _unpack_all(tar, staging, {table_name(name) for name in metadata.tables})
    except (tarfile.TarError, EOFError, UnicodeError) as error:
        raise ArchiveRefused(f"{path} is damaged, cut off, or no backup: {error}") from error
    if manifest is None:
        raise ArchiveRefused(f"{path} is cut off, or no backup: the list of its files is missing at its end.")
    names = found.keys() | manifest.contents.keys()
    if differing := sorted(name for name in names if found.get(name) != manifest.contents.get(name)):
        raise ArchiveRefused(f"{len(differing)} files are not as they were written, {differing[0]} for one.")
    if manifest.schema_revision != schema_revision:
        raise ArchiveRefused(
            f"The backup has revision {manifest.schema_revision} of the schema, this version needs {schema_revision}.",
            hint=f"Restore it with Goldsmith {manifest.versions.get('goldsmith')}, then start this version, which "
            "migrates. Nothing was changed.",
        )
    if manifest.tables.keys() != metadata.tables.keys():
        raise ArchiveRefused("The backup has not the tables of this version.")
    return manifest


def _unpack_all(tar: tarfile.TarFile, staging: Path, tables: set[str]) -> tuple[dict[str, Content], Manifest | None]:
    found: dict[str, Content] = {}
    for member in tar:
        file = tar.extractfile(member)
        if file is None or member.issparse():
            raise ArchiveRefused(f"{member.name[:200]} in the archive is not a plain file.")
        if member.name == MANIFEST:  # what stands behind it was not written by us and is not looked at
            return found, _read_manifest(file)
        if not _is_ours(member.name, tables) or member.name in found or len(found) >= MAX_FILES:
            raise ArchiveRefused(f"A backup has no file {member.name[:200]!r} at this place.")
        found[member.name] = _unpack_one(file, staging / member.name)
    return found, None


def _is_ours(name: str, tables: set[str]) -> bool:
    """Whether a backup may have a file with this name: nothing absolute, no parents, nothing hidden."""
    parts = name.split("/")
    if parts[0] != "home":
        return name in tables
    is_plain = all(part and part.isprintable() and not part.startswith(".") and "\\" not in part for part in parts)
    return is_plain and len(parts) > 2 and parts[1] in FOLDERS and len(name.encode()) <= MAX_NAME_BYTES


def _unpack_one(file: IO[bytes], target: Path) -> Content:
    digest, size_bytes = hashlib.sha256(), 0
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except (FileExistsError, NotADirectoryError) as error:
        raise ArchiveRefused(f"{target.name} is in the archive as a file and as a folder.") from error
    with os.fdopen(descriptor, "wb") as unpacked:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += unpacked.write(chunk)
        unpacked.flush()
        os.fsync(unpacked.fileno())
    return Content(digest.hexdigest(), size_bytes)


def _read_manifest(file: IO[bytes]) -> Manifest:
    body = file.read(MAX_MANIFEST_BYTES + 1)
    try:
        manifest = TypeAdapter(Manifest).validate_json(body)
    except ValidationError as error:
        raise ArchiveRefused(f"The list of the backup's files cannot be read: {error.errors()[0]['msg']}") from error
    if (manifest.format, manifest.format_version) != (FORMAT, FORMAT_VERSION):
        raise ArchiveRefused(
            f"This is {manifest.format} in version {manifest.format_version}, which is not known here."
        )
    return manifest


def _fill(connection: Connection, staging: Path, metadata: MetaData, manifest: Manifest) -> None:
    _check_tables_empty(connection, metadata)
    for table in metadata.sorted_tables:
        try:
            with (staging / table_name(table.name)).open("rb") as file:
                num_rows = table_lines.read(connection, table, file)
        except OperationalError:
            raise
        except (StatementError, FileNotFoundError) as error:
            raise ArchiveRefused(f"The rows of the table {table.name} cannot be taken: {error}") from error
        if num_rows != manifest.tables[table.name]:
            raise ArchiveRefused(
                f"The table {table.name} has {num_rows} rows instead of {manifest.tables[table.name]}."
            )
        table_lines.go_on_counting(connection, table)


def _move_into_place(unpacked: Path, home: Home, moved: ExitStack) -> None:
    """Put the folders where empty ones are; closing `moved` takes them away again."""
    for name in FOLDERS:
        if (unpacked / name).exists():
            moved.callback((home.root / name).mkdir, mode=0o700, exist_ok=True)
            (unpacked / name).chmod(0o700)
            (unpacked / name).replace(home.root / name)  # fails when that is not empty
            moved.callback(remove_folder, home.root / name)  # a disk that is full may refuse a move, and no removal
    sync_folder(home.root)
