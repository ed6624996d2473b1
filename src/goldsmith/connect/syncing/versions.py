"""Makes a dataset's version of what a source has now, each row with its origin. Earlier versions stay as they are.

Rows go in in batches and count when the last one is in; begun again after a death, it begins anew.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import orjson
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from goldsmith.connect.syncing import queries
from goldsmith.connect.syncing.tables import RowOrigin, SourceConnection, SourceItem, SourceSync
from goldsmith.data.tables import Dataset, DatasetVersion, Row
from goldsmith.people.types import Person
from goldsmith.storage.ids import Prefix, new_id

BATCH_ROWS = 1000


class Writing:
    """One version while it is being written."""

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Session]],
        connection_id: str,
        sync_id: str,
        *,
        by: Person,
    ) -> None:
        self._transaction = transaction
        self._connection_id = connection_id
        self._sync_id = sync_id
        self._by = by
        self._columns: list[str] = []
        self._digest = hashlib.sha256()
        self._num_rows = 0

    def run(self, should_stop: Callable[[], bool], report: Callable[[int], None]) -> str | None:
        """The version's id once it is whole; None when it was asked to stop."""
        version_id = self._begin()
        after = 0
        while not should_stop():
            with self._transaction() as session:
                items = queries.items_after(session, self._connection_id, after, limit=BATCH_ROWS)
                if not items:
                    self._complete(session, version_id)
                    return version_id
                self._add(session, version_id, items)
            after = items[-1].id
            report(self._num_rows)
        return None

    def _begin(self) -> str:
        """An empty version; what an earlier attempt left is taken away."""
        with self._transaction() as session:
            connection = session.get_one(SourceConnection, self._connection_id)
            dataset = session.get_one(Dataset, connection.dataset_id, with_for_update=True)
            dataset.deleted_at = None
            _take_away(session, dataset.id)
            self._columns = list(connection.columns)
            last = select(func.max(DatasetVersion.number)).where(DatasetVersion.dataset_id == dataset.id)
            version = DatasetVersion(
                id=new_id(Prefix.DATASET_VERSION),
                dataset_id=dataset.id,
                number=(session.scalar(last) or 0) + 1,
                columns=self._columns,
                bad_rows=[],
                answer_column=connection.answer_column,
                source_name=connection.name,
                source_sha256="",
                domain=self._by.domain,
                created_by=self._by.id,
            )
            session.add(version)
            return version.id

    def _add(self, session: Session, version_id: str, items: Sequence[SourceItem]) -> None:
        rows, origins = [], []
        for item in items:
            content = {column: item.content.get(column, "") for column in self._columns}
            canonical = orjson.dumps(content)
            self._digest.update(canonical + b"\n")
            self._num_rows += 1
            row_id = new_id(Prefix.ROW)
            rows.append(
                {
                    "id": row_id,
                    "dataset_version_id": version_id,
                    "position": self._num_rows,
                    "content": content,
                    "content_hash": hashlib.sha256(canonical).hexdigest(),
                }
            )
            origins.append(
                {
                    "row_id": row_id,
                    "connection_id": self._connection_id,
                    "source_id": item.source_id,
                    "place": item.place,
                    "content_hash": item.content_hash,
                    "sync_id": item.sync_id,
                    "fetched_at": item.fetched_at,
                }
            )
        session.execute(insert(Row), rows)
        session.execute(insert(RowOrigin), origins)

    def _complete(self, session: Session, version_id: str) -> None:
        version = session.get_one(DatasetVersion, version_id)
        sync = session.get_one(SourceSync, self._sync_id)
        version.num_rows, version.is_complete = self._num_rows, True
        version.num_bad_rows = sync.num_not_taken
        listed = sync.not_taken
        version.bad_rows = [
            {"row": number, "column": None, "reason": f"{each['place']}: {each['reason']}"}
            for number, each in enumerate(listed, start=1)
        ]
        version.content_hash = version.source_sha256 = self._digest.hexdigest()
        sync.version_id = version.id
        session.get_one(SourceConnection, self._connection_id).has_news = False


def _take_away(session: Session, dataset_id: str) -> None:
    """Versions of syncs that died while they wrote them."""
    left = select(DatasetVersion.id).where(
        DatasetVersion.dataset_id == dataset_id,
        DatasetVersion.is_complete.is_(False),
        DatasetVersion.source_sha256 == "",
    )
    ids = list(session.scalars(left))
    if ids:
        rows = select(Row.id).where(Row.dataset_version_id.in_(ids))
        session.execute(delete(RowOrigin).where(RowOrigin.row_id.in_(rows)))
        session.execute(delete(Row).where(Row.dataset_version_id.in_(ids)))
        session.execute(delete(DatasetVersion).where(DatasetVersion.id.in_(ids)))
