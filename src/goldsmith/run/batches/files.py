"""A batch's output and errors as files in OpenAI's form, at any time. Memory stays bounded."""

import json
from collections.abc import Iterator
from typing import Any

from goldsmith.run.batches import queries
from goldsmith.run.batches.tables import BatchedRequest
from goldsmith.run.batches.types import BatchStatus, RequestState, Side
from goldsmith.storage.database import Database

_WITHOUT_END = {
    BatchStatus.EXPIRED: ("batch_expired", "This request could not be executed before the batch expired."),
    BatchStatus.CANCELLED: ("batch_cancelled", "This request was not executed, because the batch was cancelled."),
    BatchStatus.FAILED: ("batch_failed", "This request was not executed, because the batch failed before."),
}
NO_ANSWER = "request_failed"


def pieces(database: Database, batch_id: str, side: Side, *, ends: BatchStatus | None = None) -> Iterator[bytes]:
    """The file in pieces, in the order of the input. `ends`: the batch is over so; what has no end says why."""
    after = 0
    while True:
        with database.reading() as session:
            found = queries.lines(session, batch_id, side, after=after, has_open=ends in _WITHOUT_END)
        if not found:
            return
        yield "".join(_line(request, ends) for request in found).encode()
        after = found[-1].line


def _line(request: BatchedRequest, ends: BatchStatus | None) -> str:
    head: dict[str, Any] = {"id": request.id, "custom_id": request.custom_id}
    error = _error(request, ends)
    if request.response is None:
        return json.dumps({**head, "response": None, "error": error}) + "\n"
    # The answer is JSON already; it is neither read nor written anew.
    answer = json.dumps({"status_code": request.status_code, "request_id": request.id})[:-1]
    start = json.dumps(head)[:-1]
    return f'{start}, "response": {answer}, "body": {request.response}}}, "error": {json.dumps(error)}}}\n'


def _error(request: BatchedRequest, ends: BatchStatus | None) -> dict[str, str] | None:
    if request.state == RequestState.WAITING.value and ends is not None:
        code, message = _WITHOUT_END[ends]
        return {"code": code, "message": message}
    if request.state == RequestState.FAILED.value and request.response is None:
        return {"code": NO_ANSWER, "message": request.error or ""}
    return None
