"""Writes what a source gave as a version of the scope's dataset, each row with its origin. Called by `service`."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from goldsmith.connect import queries
from goldsmith.connect.tables import SourceRow, SourceScope
from goldsmith.connect.types import LEFT_OUT, Fetched, LeftOut, SourceItem
from goldsmith.data import service as data
from goldsmith.data.tables import Dataset, DatasetVersion, Row
from goldsmith.people.types import Person
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.storage.text import storable

SYSTEM, PROMPT, ANSWER = "system", "prompt", "answer"
_WITHOUT_SYSTEM = (PROMPT, ANSWER, "conquest_id", "conquest_type", "subject_id")
MAX_BAD_ROWS = 200
_ROWS_AT_ONCE = 500


def version_of(
    session: Session, home: Home, scope: SourceScope, fetched: Fetched, chosen: str | None, by: Person
) -> DatasetVersion:
    """The dataset's version with this very content; `chosen` stands in a column where the answers differ in it."""
    items = sorted(fetched.items, key=lambda item: item.external_id)
    contents = [_content(item, chosen) for item in items]
    lines = [orjson.dumps(content) for content in contents]
    content = b"".join(line + b"\n" for line in lines)
    same = queries.same_version(session, scope.dataset_id, hashlib.sha256(content).hexdigest())
    if same is not None:
        return same
    dataset = session.get_one(Dataset, scope.dataset_id)
    upload = data.save_upload(home, io.BytesIO(content), f"{dataset.name}.jsonl")
    last = select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == dataset.id)
    version = DatasetVersion(
        id=new_id(Prefix.DATASET_VERSION),
        dataset_id=dataset.id,
        number=(session.scalar(last) or 0) + 1,
        is_complete=True,
        columns=list(contents[0]),
        answer_column=ANSWER,
        num_rows=len(items),
        num_bad_rows=len(fetched.left_out),
        bad_rows=[_bad_row(number, each) for number, each in enumerate(fetched.left_out[:MAX_BAD_ROWS], start=1)],
        content_hash=upload.sha256,
        source_name=upload.filename,
        source_sha256=upload.sha256,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(version)
    session.flush()
    _write_rows(session, version, scope, list(zip(items, contents, lines, strict=True)))
    return version


def _write_rows(
    session: Session,
    version: DatasetVersion,
    scope: SourceScope,
    written: Sequence[tuple[SourceItem, Mapping[str, str], bytes]],
) -> None:
    for start in range(0, len(written), _ROWS_AT_ONCE):
        some = written[start : start + _ROWS_AT_ONCE]
        ids = [new_id(Prefix.ROW) for _ in some]
        rows = [
            {
                "id": row_id,
                "dataset_version_id": version.id,
                "position": position,
                "content": content,
                "content_hash": hashlib.sha256(line).hexdigest(),
            }
            for row_id, position, (_, content, line) in zip(
                ids, range(start + 1, start + 1 + len(some)), some, strict=True
            )
        ]
        session.execute(insert(Row), rows)
        origins = [
            {
                "row_id": row_id,
                "scope_id": scope.id,
                "external_id": item.external_id,
                "kind": item.kind and item.kind[:64],
                "subject_id": item.subject_id and item.subject_id[:255],
                "rating": item.rating,
                "starred_at": item.starred_at,
            }
            for row_id, (item, _, _) in zip(ids, some, strict=True)
        ]
        session.execute(insert(SourceRow), origins)


def _content(item: SourceItem, chosen: str | None) -> dict[str, str]:
    """What was asked and answered, and whose it is; not when it was starred, nor with how many points."""
    own = (item.prompt, item.answer, item.external_id, item.kind or "", item.subject_id or "")
    content = dict(zip(_WITHOUT_SYSTEM, map(storable, own), strict=True))
    if chosen is None:
        return content
    return {SYSTEM: storable(item.system_text if item.system_text is not None else chosen), **content}


def _bad_row(number: int, left_out: LeftOut) -> dict[str, Any]:
    reason = f"the conquest {left_out.external_id} is {LEFT_OUT[left_out.reason]}"
    return {"row": number, "column": None, "reason": reason}
