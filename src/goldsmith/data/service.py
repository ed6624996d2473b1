"""The verbs of datasets: keep an upload, start an import, delete a dataset. Reading the file is the job's work."""

import hashlib
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.data import queries
from goldsmith.data.errors import DatasetNotFound, UploadNotFound, UploadTooLarge
from goldsmith.data.tables import Dataset, DatasetVersion
from goldsmith.data.types import ImportRequest, Upload
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.files import Home, sync_folder
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.storage.text import storable

MAX_UPLOAD_BYTES = 2_000_000_000
_CHUNK_BYTES = 1 << 20


def save_upload(home: Home, stream: BinaryIO, filename: str, *, max_bytes: int = MAX_UPLOAD_BYTES) -> Upload:
    """Keep a file under the hash of its bytes, whole or not at all. Raises UploadTooLarge."""
    home.uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".upload-", dir=home.uploads)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            sha256, size_bytes = _copy(stream, file, max_bytes)
        temporary.replace(home.uploads / sha256)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(home.uploads)
    return Upload(sha256, storable(filename)[:255], size_bytes)


def _copy(stream: BinaryIO, file: BinaryIO, max_bytes: int) -> tuple[str, int]:
    digest, size_bytes = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK_BYTES):
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            raise UploadTooLarge(f"The file has more than {max_bytes:,} bytes.")
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest(), size_bytes


def kept_upload(home: Home, sha256: str, filename: str) -> Upload:
    """A file that was sent before. Raises UploadNotFound."""
    path = home.uploads / sha256
    if not path.is_file():
        raise UploadNotFound("The file is not here any more.", hint="Choose it again.")
    return Upload(sha256, filename, path.stat().st_size)


def path_of(home: Home, upload: Upload) -> Path:
    """Where an upload lies."""
    return home.uploads / upload.sha256


def start_import(session: Session, request: ImportRequest, *, by: Person) -> tuple[DatasetVersion, Job]:
    """Write the dataset and its next version, incomplete, and queue the import that fills it."""
    dataset = _dataset(session, request, by)
    number = session.scalar(select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == dataset.id))
    version = DatasetVersion(
        id=new_id(Prefix.DATASET_VERSION),
        dataset_id=dataset.id,
        number=(number or 0) + 1,
        columns=[],
        bad_rows=[],
        answer_column=request.answer_column,
        source_name=request.upload.filename,
        source_sha256=request.upload.sha256,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(version)
    session.flush()
    job = NewJob("import", f"Import {request.upload.filename}", asdict(request), subject_id=version.id)
    return version, queue.add(session, job, by=by)


def delete(session: Session, dataset_id: str, *, by: Person) -> None:
    """Hide a dataset. Its rows stay for what was made from them, so this can be undone with `restore`."""
    queries.one(session, dataset_id, domain=by.domain).deleted_at = clock.now()


def restore(session: Session, dataset_id: str, *, by: Person) -> None:
    """Show a deleted dataset again. Raises DatasetNotFound."""
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.domain != by.domain:
        raise DatasetNotFound(f"There is no dataset {dataset_id}.")
    dataset.deleted_at = None


def _dataset(session: Session, request: ImportRequest, by: Person) -> Dataset:
    if request.dataset_id is not None:
        dataset = queries.one(session, request.dataset_id, domain=by.domain)
        session.refresh(dataset, with_for_update=True)  # two imports at once get numbers one after the other
        return dataset
    name = storable(request.name).strip()[:255] or request.upload.filename
    dataset = Dataset(id=new_id(Prefix.DATASET), name=name, domain=by.domain, created_by=by.id)
    session.add(dataset)
    session.flush()
    return dataset
