"""The end of a batch: how it ended, and its two files. Done again after any death, with the same outcome."""

import io
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from goldsmith.data import service as data
from goldsmith.data import stored
from goldsmith.data.tables import StoredFile
from goldsmith.data.types import Upload
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.states import JobState
from goldsmith.people.types import Person
from goldsmith.run.batches import queries, service
from goldsmith.run.batches.files import pieces
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import ASK_JOB, CHECK_JOB, BatchStatus, Counts, Fault, Side
from goldsmith.storage import clock

PURPOSE = "batch_output"
MAX_FILE_BYTES = 1_000_000_000_000


def end(context: WorkContext, batch_id: str) -> None:
    """Write the files of a batch whose asking has ended, then say how it ended."""
    with context.database.reading() as session:
        batch = queries.one(session, batch_id)
        counts = queries.counts(session, batch)
        status, fault = _outcome(session, batch, counts)
    uploads = {side: _write(context, batch, side, status) for side in Side}
    with context.transaction() as session:
        batch = queries.one(session, batch_id)
        by = Person(batch.created_by, "", batch.domain)
        batch.output_file_id = _keep(session, batch, uploads[Side.OUTPUT], by)
        batch.error_file_id = _keep(session, batch, uploads[Side.ERRORS], by)
        service.end(session, batch, status, faults=[fault] if fault is not None else [])


def _outcome(session: Session, batch: Batch, counts: Counts) -> tuple[BatchStatus, Fault | None]:
    """How it ended, and what is to be said of that. Never completed when every request failed."""
    if batch.cancelling_at is not None:
        return BatchStatus.CANCELLED, None
    is_asked = batch.in_progress_at is not None
    if is_asked and counts.num_open == 0:
        if counts.num_answered or not counts.num_failed:
            return BatchStatus.COMPLETED, None
        words = f"All {counts.num_failed:,} requests failed. Most of them with: "
        error = queries.most_frequent_error(session, batch.id)
        return BatchStatus.FAILED, Fault("every_request_failed", f"{words}{error}")
    if clock.now() >= batch.expires_at:
        return BatchStatus.EXPIRED, None
    job = jobs.newest_of(session, batch.id, ASK_JOB) or jobs.newest_of(session, batch.id, CHECK_JOB)
    if job is not None and job.state == JobState.FAILED.value:
        failure = job.failure or {}
        words = f"{failure.get('summary', job.because)} {failure.get('hint', '')}".strip()
        return BatchStatus.FAILED, Fault(str(failure.get("kind", "failed")), words)
    return BatchStatus.CANCELLED, None  # its job was cancelled on the page of jobs


def _write(context: WorkContext, batch: Batch, side: Side, status: BatchStatus) -> Upload | None:
    """The file among the uploads, under the hash of its bytes; None when it would be empty."""
    stream = _Stream(pieces(context.database, batch.id, side, ends=status))
    name = f"{batch.id}_{'output' if side is Side.OUTPUT else 'error'}.jsonl"
    upload = data.save_upload(context.home, io.BufferedReader(stream), name, max_bytes=MAX_FILE_BYTES)
    return upload if upload.size_bytes else None


def _keep(session: Session, batch: Batch, upload: Upload | None, by: Person) -> str | None:
    if upload is None:
        return None
    file: StoredFile = stored.keep(session, upload, purpose=PURPOSE, by=by, expires_at=_expires_at(batch))
    return file.id


def _expires_at(batch: Batch) -> datetime | None:
    after_s = batch.output_expires_after_s
    return clock.now() + timedelta(seconds=after_s) if after_s is not None else None


class _Stream(io.RawIOBase):
    """Pieces as a file that is read."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._source, None)
            if piece is None:
                return 0
            self._rest = piece
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
