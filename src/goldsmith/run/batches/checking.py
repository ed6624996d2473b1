"""The check of a batch's file: a file with a fault is refused as a whole, a good one becomes rows to be asked.

Read twice: first for faults, with nothing written, then into the database. Started again, it goes on behind the last
line that is there.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import WorkContext
from goldsmith.people.types import Person
from goldsmith.run.batches import queries, service
from goldsmith.run.batches.input_file import read_lines
from goldsmith.run.batches.naming import Names
from goldsmith.run.batches.tables import Batch, BatchedRequest
from goldsmith.run.batches.types import MAX_FAULTS, BatchStatus, Fault, InputLine, RequestState
from goldsmith.storage.ids import Prefix, new_id

LINES_AT_ONCE = 2000


def check(context: WorkContext, batch_id: str) -> None:
    """Refuse the file, or take it and have its requests asked. Leaves off when asked to stop."""
    with context.database.reading() as session:
        batch = queries.one(session, batch_id)
        last_line = queries.last_line(session, batch_id)
    if batch.in_progress_at is not None or batch.is_over:
        return
    path = context.home.uploads / batch.input_sha256
    if not path.is_file():
        raise JobFailed("The bytes of the batch's file are gone.", hint="Upload it again.", kind="file_gone")
    names = Names(batch.domain)
    faults, model_ids = _look(context, batch, path, names)
    if context.should_stop():
        return
    if faults:
        with context.transaction() as session:
            service.end(session, queries.one(session, batch_id), BatchStatus.FAILED, faults=faults)
        return
    num_requests = _take(context, batch, path, names, after=last_line)
    if num_requests is None:
        return
    with context.transaction() as session:
        found = queries.one(session, batch_id)
        found.num_requests = num_requests
        by = Person(batch.created_by, "", batch.domain)
        service.begin_asking(session, found, names.in_order(session, model_ids), by=by)


def _look(context: WorkContext, batch: Batch, path: Path, names: Names) -> tuple[list[Fault], list[str]]:
    """The first faults, and the models in the order of their first request."""
    faults: list[Fault] = []
    model_ids: dict[str, None] = {}
    for some in _some(read_lines(path, batch.endpoint)):
        with context.database.reading() as session:
            for line in some:
                fault = line if isinstance(line, Fault) else _unknown(session, names, line, model_ids)
                if fault is not None:
                    faults.append(fault)
        if len(faults) >= MAX_FAULTS or context.should_stop():
            break
    return faults[:MAX_FAULTS], list(model_ids)


def _unknown(session: Session, names: Names, line: InputLine, model_ids: dict[str, None]) -> Fault | None:
    model_id, words = names.find(session, line.model, line.custom_id)
    if model_id is None:
        return Fault("model_not_found", words, line.number, "body.model")
    model_ids[model_id] = None
    return None


def _take(context: WorkContext, batch: Batch, path: Path, names: Names, *, after: int) -> int | None:
    """Write the rows; returns how many requests there are, None when asked to stop."""
    num_requests = 0
    for some in _some(read_lines(path, batch.endpoint)):
        lines = [line for line in some if isinstance(line, InputLine)]
        num_requests += len(lines)
        new = [line for line in lines if line.number > after]
        if context.should_stop():
            return None
        if new:
            with context.transaction() as session:
                session.execute(insert(BatchedRequest), [_row(session, batch, names, line) for line in new])
            context.report(None, f"{num_requests:,} requests taken")
    return num_requests


def _row(session: Session, batch: Batch, names: Names, line: InputLine) -> dict[str, object]:
    return {
        "id": new_id(Prefix.BATCH_REQUEST),
        "batch_id": batch.id,
        "line": line.number,
        "custom_id": line.custom_id,
        "model_id": names.find(session, line.model, line.custom_id)[0],
        "start_byte": line.start_byte,
        "num_bytes": line.num_bytes,
        "state": RequestState.WAITING.value,
        "num_tries": 0,
    }


def _some(lines: Iterator[InputLine | Fault]) -> Iterator[Sequence[InputLine | Fault]]:
    while some := list(islice(lines, LINES_AT_ONCE)):
        yield some
