"""The import of a file into a dataset version: long work, in a worker whose memory is limited.

Rows go in in batches; the version counts only when the last batch is in, in the same transaction. Started again after
a death, it removes what the earlier attempt put in and begins anew.
"""

import hashlib
import math
import resource
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, ClassVar

import orjson
from sqlalchemy import delete, insert

from goldsmith.data import queries, readers, service
from goldsmith.data.errors import ColumnUnknown, NoGoodRows, TooMuchMemory
from goldsmith.data.readers import BadRow, Format, ReadOptions, ReadRow, RowSource
from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.data.types import ImportRequest, Upload
from goldsmith.jobs.errors import LeaseLost
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.types import Stage
from goldsmith.storage.ids import Prefix, new_id

BATCH_ROWS = 1000
MAX_LISTED_BAD_ROWS = 200
MEMORY_LIMIT_BYTES = 2 << 30


class ImportKind(LightKind):
    """Reads an upload into the rows of a dataset version."""

    name: ClassVar[str] = "import"
    stages: ClassVar[tuple[Stage, ...]] = (Stage("read"),)

    def __init__(self, *, memory_limit_bytes: int | None = MEMORY_LIMIT_BYTES) -> None:
        self._memory_limit_bytes = memory_limit_bytes

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Read the whole file. Raises the readers' errors, ColumnUnknown and NoGoodRows."""
        del stage
        if self._memory_limit_bytes is not None:
            limit_memory(self._memory_limit_bytes)
        try:
            return Import(context).run()
        except MemoryError as error:
            raise TooMuchMemory(f"Reading {context.job.params['upload']['filename']} takes too much memory.") from error


class Import:
    """One import, from an upload to a complete version."""

    def __init__(self, context: WorkContext) -> None:
        params = dict(context.job.params)
        self._request = ImportRequest(**{**params, "upload": Upload(**params["upload"])})
        self._version_id = context.job.subject_id or ""
        self._context = context
        self._digest = hashlib.sha256()
        self._bad_rows: list[dict[str, Any]] = []
        self._num_bad = 0
        self._num_rows = 0

    def run(self) -> Mapping[str, Any]:
        """Fill the version; what was not taken is listed with row, column and reason. On a failure no row stays."""
        self._empty()
        try:
            result = self._fill()
        except LeaseLost:
            raise
        except BaseException:
            self._empty()
            raise
        if self._context.should_stop() and not result:
            self._empty()
        return result

    def _empty(self) -> None:
        """Remove the rows of this version, and of others whose import died and was given up."""
        with self._context.transaction() as session:
            given_up = queries.abandoned_versions(session, domain=self._context.job.domain)
            session.execute(delete(Row).where(Row.dataset_version_id.in_([self._version_id, *given_up])))

    def _fill(self) -> Mapping[str, Any]:
        source = self._open()
        columns = self._columns(source)
        good_rows = self._good_rows(source)
        while batch := list(islice(good_rows, BATCH_ROWS)):
            if self._context.should_stop():
                return {}
            with self._context.transaction() as session:
                session.execute(insert(Row), [self._row(item, columns) for item in batch])
            share = source.share_read(self._num_rows + self._num_bad)
            self._context.report(_floored(share), f"{self._num_rows:,} rows read")
        if self._num_rows == 0:
            with self._context.transaction() as session:
                self._say_bad_rows(queries.version(session, self._version_id, must_be_complete=False))
            first = self._bad_rows[0] if self._bad_rows else {"row": 1, "reason": "the file has no rows"}
            raise NoGoodRows(f"All {self._num_bad:,} rows are bad. Row {first['row']}: {first['reason']}")
        with self._context.transaction() as session:
            self._complete(queries.version(session, self._version_id, must_be_complete=False), columns)
        return {"num_rows": self._num_rows, "num_bad_rows": self._num_bad}

    def _open(self) -> RowSource:
        request = self._request
        options = ReadOptions(
            format=Format(request.format) if request.format else None,
            encoding=request.encoding,
            delimiter=request.delimiter,
            sheet=request.sheet,
        )
        path = service.path_of(self._context.home, request.upload)
        return readers.open_rows(path, filename=request.upload.filename, options=options)

    def _columns(self, source: RowSource) -> list[str]:
        there = list(source.columns)
        wanted = list(self._request.columns or there)
        answer = self._request.answer_column
        for column in [*wanted, *([answer] if answer else [])]:
            if column not in there:
                raise ColumnUnknown(f"The file has no column {column!r}. It has: {', '.join(there)}.")
        return list(dict.fromkeys([*wanted, *([answer] if answer else [])]))

    def _good_rows(self, source: RowSource) -> Iterator[ReadRow]:
        for item in source:
            if isinstance(item, BadRow):
                self._num_bad += 1
                if len(self._bad_rows) < MAX_LISTED_BAD_ROWS:
                    self._bad_rows.append({"row": item.number, "column": item.column, "reason": item.reason})
            else:
                yield item

    def _row(self, item: ReadRow, columns: list[str]) -> dict[str, Any]:
        content = {column: item.values[column] for column in columns}
        canonical = orjson.dumps(content)
        self._digest.update(canonical + b"\n")
        self._num_rows += 1
        return {
            "id": new_id(Prefix.ROW),
            "dataset_version_id": self._version_id,
            "position": self._num_rows,
            "content": content,
            "content_hash": hashlib.sha256(canonical).hexdigest(),
        }

    def _complete(self, version: DatasetVersion, columns: list[str]) -> None:
        version.columns = columns
        version.num_rows = self._num_rows
        version.content_hash = self._digest.hexdigest()
        version.is_complete = True
        self._say_bad_rows(version)

    def _say_bad_rows(self, version: DatasetVersion) -> None:
        version.num_bad_rows = self._num_bad
        version.bad_rows = self._bad_rows


def _floored(share: float | None) -> float | None:
    """In whole percents, so that an import that dies at the same place again never seems to have come further."""
    return None if share is None else min(0.99, math.floor(100 * share) / 100)


def limit_memory(limit_bytes: int) -> None:
    """From now on this process fails with MemoryError rather than take more; what people send is read only so."""
    _, hard_bytes = resource.getrlimit(resource.RLIMIT_AS)
    is_free = hard_bytes == resource.RLIM_INFINITY or limit_bytes <= hard_bytes
    limit_bytes = limit_bytes if is_free else hard_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
