"""Files that come in parts: begun, sent piece by piece in any order, put together as told, or given up.

The bytes of a part lie among the uploads under their hash, like every file; putting them together copies them once.
"""

import hashlib
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from goldsmith.data import service, stored
from goldsmith.data.errors import UploadNotFound, UploadNotOpen, UploadNotWhole
from goldsmith.data.tables import PartialUpload, StoredFile, UploadPart
from goldsmith.data.types import Upload, UploadStatus
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.storage.text import storable

MAX_PART_BYTES = 64 * 1024 * 1024
MAX_UPLOAD_BYTES = 8 * 1024 * 1024 * 1024
LIFE = timedelta(hours=1)


def begin(
    session: Session, filename: str, *, purpose: str, size_bytes: int, mime_type: str, by: Person
) -> PartialUpload:
    """Expect a file of so many bytes within the next hour."""
    upload = PartialUpload(
        id=new_id(Prefix.UPLOAD),
        filename=storable(filename)[:255],
        purpose=purpose,
        size_bytes=size_bytes,
        mime_type=mime_type,
        status=UploadStatus.PENDING.value,
        expires_at=clock.now() + LIFE,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(upload)
    session.flush()
    return upload


def one(session: Session, upload_id: str, *, domain: str) -> PartialUpload:
    """The upload. Raises UploadNotFound."""
    upload = session.get(PartialUpload, upload_id)
    if upload is None or upload.domain != domain:
        raise UploadNotFound(f"There is no upload {upload_id}.")
    return upload


def status_of(upload: PartialUpload) -> UploadStatus:
    """Where it stands; one that was left alone for too long has expired."""
    status = UploadStatus(upload.status)
    is_late = status is UploadStatus.PENDING and upload.expires_at <= clock.now()
    return UploadStatus.EXPIRED if is_late else status


def add_part(database: Database, home: Home, upload_id: str, stream: BinaryIO, *, by: Person) -> UploadPart:
    """Keep a part; its bytes first, so that nobody waits for them. Raises UploadNotOpen, UploadTooLarge."""
    with database.reading() as session:
        _check_open(one(session, upload_id, domain=by.domain))
    kept = service.save_upload(home, stream, "part", max_bytes=MAX_PART_BYTES)
    part = UploadPart(id=new_id(Prefix.PART), upload_id=upload_id, sha256=kept.sha256, size_bytes=kept.size_bytes)
    with database.transaction() as session:
        _check_open(one(session, upload_id, domain=by.domain))
        session.add(part)
    return part


def complete(
    database: Database, home: Home, upload_id: str, part_ids: Sequence[str], *, md5: str | None, by: Person
) -> tuple[PartialUpload, StoredFile]:
    """Put the parts together in this order. Raises UploadNotOpen, UploadNotFound, UploadNotWhole."""
    with database.reading() as session:
        upload = one(session, upload_id, domain=by.domain)
        _check_open(upload)
        parts = _parts(session, upload, part_ids)
    _check_whole(home, upload, parts, md5)
    joined = io.BufferedReader(_Joined(home, parts))
    whole = service.save_upload(home, joined, upload.filename, max_bytes=MAX_UPLOAD_BYTES)
    with database.transaction() as session:
        upload = one(session, upload_id, domain=by.domain)
        _check_open(upload)
        file = stored.keep(session, whole, purpose=upload.purpose, by=by)
        upload.file_id, upload.status = file.id, UploadStatus.COMPLETED.value
    return upload, file


def cancel(session: Session, upload: PartialUpload) -> PartialUpload:
    """Give it up. Raises UploadNotOpen."""
    _check_open(upload)
    upload.status = UploadStatus.CANCELLED.value
    session.flush()
    return upload


def _parts(session: Session, upload: PartialUpload, part_ids: Sequence[str]) -> list[UploadPart]:
    by_id = {part.id: part for part in session.scalars(select(UploadPart).where(UploadPart.upload_id == upload.id))}
    unknown = [part_id for part_id in part_ids if part_id not in by_id]
    if unknown:
        raise UploadNotFound(f"{upload.id} has no part {unknown[0][:64]}.")
    return [by_id[part_id] for part_id in part_ids]


def _check_open(upload: PartialUpload) -> None:
    status = status_of(upload)
    if status is not UploadStatus.PENDING:
        raise UploadNotOpen(f"The upload {upload.id} is {status.value}.")


def _check_whole(home: Home, upload: PartialUpload, parts: Sequence[UploadPart], md5: str | None) -> None:
    num_bytes = sum(part.size_bytes for part in parts)
    if num_bytes != upload.size_bytes:
        raise UploadNotWhole(f"The parts have {num_bytes:,} bytes, and {upload.size_bytes:,} were announced.")
    if md5 is not None:
        digest = hashlib.md5(usedforsecurity=False)
        for part in parts:
            with service.path_of(home, _upload(part)).open("rb") as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        if digest.hexdigest() != md5.lower():
            raise UploadNotWhole("The parts together have another MD5 than the one that was sent.")


def _upload(part: UploadPart) -> Upload:
    return Upload(part.sha256, "part", part.size_bytes)


class _Joined(io.RawIOBase):
    """Several files, read as one."""

    def __init__(self, home: Home, parts: Sequence[UploadPart]) -> None:
        self._paths = [service.path_of(home, _upload(part)) for part in parts]
        self._file: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while True:
            if self._file is None:
                if not self._paths:
                    return 0
                self._file = self._paths.pop(0).open("rb")
            piece = self._file.read(len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
            self._file.close()
            self._file = None
