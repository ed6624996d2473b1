"""An import takes the good rows, lists the bad ones, and leaves nothing half done."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from goldsmith.data import jobs as data_jobs
from goldsmith.data import queries, service
from goldsmith.data.errors import ColumnUnknown, DatasetNotFound, DatasetNotReady, NoGoodRows, UploadTooLarge
from goldsmith.data.jobs import ImportKind
from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.data.types import ImportRequest
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.errors import LeaseLost
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.states import JobState
from goldsmith.jobs.worker import Worker
from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

KIND = ImportKind(memory_limit_bytes=None)
JSONL = b'{"q": "one?", "a": "1"}\n{"q": "two?", "a": "2"}\n{"q": "three?", "a": "3"}\n'


class Importer:
    """Queues imports and does them in this process, as a worker would."""

    def __init__(self, database: Database, home: Home, person: Person) -> None:
        self.database, self.home, self.person = database, home, person

    def ask(self, content: bytes, filename: str = "rows.jsonl", **more: Any) -> tuple[str, str]:
        upload = service.save_upload(self.home, io.BytesIO(content), filename)
        with self.database.transaction() as session:
            request = ImportRequest(upload, more.pop("name", "rows"), **more)
            version, job = service.start_import(session, request, by=self.person)
            queue.claim(session, machine="here", slot=None)
            return version.id, job.id

    def context(self, job_id: str) -> WorkContext:
        worker = Worker(self.database, self.home, {"import": KIND})
        with self.database.reading() as session:
            job = jobs.view(jobs.one(session, job_id))
        self.worker = worker
        return worker._context(job, job.lease_number)

    def work(self, job_id: str) -> dict[str, Any]:
        return dict(KIND.work("read", self.context(job_id)))

    def bring(self, content: bytes, filename: str = "rows.jsonl", **more: Any) -> tuple[DatasetVersion, list[Row]]:
        version_id, job_id = self.ask(content, filename, **more)
        self.work(job_id)
        return self.look(version_id)

    def look(self, version_id: str) -> tuple[DatasetVersion, list[Row]]:
        with self.database.reading() as session:
            return queries.version(session, version_id), queries.rows(session, version_id)

    def num_rows(self, version_id: str) -> int:
        with self.database.reading() as session:
            query = select(func.count()).where(Row.dataset_version_id == version_id)
            return session.scalar(query) or 0

    def end(self, job_id: str, state: JobState) -> None:
        with self.database.transaction() as session:
            queue.to_running(session, jobs.one(session, job_id))
            queue.move(session, jobs.one(session, job_id), state, "test")


@pytest.fixture
def importer(database: Database, home: Home, person: Person) -> Importer:
    return Importer(database, home, person)


def test_rows_keep_their_order_and_their_columns(importer: Importer) -> None:
    version, rows = importer.bring(JSONL)
    assert (version.columns, version.num_rows, version.num_bad_rows) == (["q", "a"], 3, 0)
    assert [(row.position, row.content["q"]) for row in rows] == [(1, "one?"), (2, "two?"), (3, "three?")]


def test_a_bad_row_is_listed_and_the_good_ones_stay(importer: Importer) -> None:
    content = JSONL + b'{"q": "broken\n' + b'{"q": "five?", "a": "5"}\n' + b'{"q": "nul\\u0000", "a": "6"}\n'
    version, rows = importer.bring(content)
    assert [row.content["a"] for row in rows] == ["1", "2", "3", "5"]
    assert (version.num_rows, version.num_bad_rows) == (4, 2)
    assert [bad["row"] for bad in version.bad_rows] == [4, 6]
    assert version.bad_rows[1]["column"] == "q"
    assert all(bad["reason"] for bad in version.bad_rows)


@pytest.mark.parametrize(
    ("filename", "start", "line"),
    [("rows.jsonl", b"", b'{"q": "question", "a": "answer"}\n'), ("rows.csv", b"q,a\n", b"question,answer\n")],
)
def test_how_far_it_is_is_told_as_a_share_of_the_file(
    importer: Importer, filename: str, start: bytes, line: bytes
) -> None:
    told: list[float] = []
    _, job_id = importer.ask(start + line * 10_000, filename)
    context = replace(importer.context(job_id), report=lambda share, _: told.append(share or 0.0))
    KIND.work("read", context)
    assert len(told) == 10
    assert told == sorted(told)
    assert 0.05 < told[0] < 0.7
    assert told[-1] == 0.99  # the rest is for the last transaction


def test_only_so_many_bad_rows_are_listed_but_all_are_counted(importer: Importer) -> None:
    version, _ = importer.bring(JSONL + b"broken\n" * 300)
    assert (version.num_bad_rows, len(version.bad_rows)) == (300, data_jobs.MAX_LISTED_BAD_ROWS)


def test_the_same_content_has_the_same_hash(importer: Importer) -> None:
    assert importer.bring(JSONL)[0].content_hash == importer.bring(JSONL, name="again")[0].content_hash


def test_columns_are_chosen_and_the_answer_column_comes_with_them_once(importer: Importer) -> None:
    version, rows = importer.bring(JSONL, columns=("a", "a"), answer_column="a")
    assert version.columns == ["a"]
    assert rows[0].content == {"a": "1"}
    assert importer.bring(JSONL, columns=("q",), answer_column="a")[0].columns == ["q", "a"]


@pytest.mark.parametrize("wish", [{"columns": ("nothing",)}, {"answer_column": "nothing"}])
def test_an_unknown_column_is_refused_with_those_there_are(importer: Importer, wish: dict[str, Any]) -> None:
    version_id, job_id = importer.ask(JSONL, **wish)
    with pytest.raises(ColumnUnknown, match=r"'nothing'.*q, a"):
        importer.work(job_id)
    assert importer.num_rows(version_id) == 0


def test_a_file_without_one_good_row_fails_and_names_the_first(importer: Importer) -> None:
    version_id, job_id = importer.ask(b"broken\nbroken\n")
    with pytest.raises(NoGoodRows, match=r"All 2 rows are bad. Row 1"):
        importer.work(job_id)
    with importer.database.reading() as session, pytest.raises(DatasetNotReady):
        queries.version(session, version_id)
    with importer.database.reading() as session:
        failed = queries.version(session, version_id, must_be_complete=False)
        assert [bad["row"] for bad in failed.bad_rows] == [1, 2]


@pytest.fixture
def fail_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Have the second batch raise; batches are of one row."""

    def set_up(error: BaseException) -> None:
        monkeypatch.setattr(data_jobs, "BATCH_ROWS", 1)
        real = data_jobs.Import._row

        def row(self: data_jobs.Import, *arguments: Any) -> dict[str, Any]:
            made = real(self, *arguments)
            if made["position"] == 2:
                raise error
            return made

        monkeypatch.setattr(data_jobs.Import, "_row", row)

    return set_up


@pytest.mark.parametrize("error", [OSError("the disk is gone"), MemoryError(), KeyboardInterrupt()])
def test_an_import_that_fails_midway_leaves_no_rows(
    importer: Importer, fail_after: Callable[[BaseException], None], error: BaseException
) -> None:
    fail_after(error)
    version_id, job_id = importer.ask(JSONL)
    with pytest.raises(BaseException, match=r"disk is gone|takes too much memory|^$"):
        importer.work(job_id)
    assert importer.num_rows(version_id) == 0


def test_an_import_that_lost_its_lease_leaves_the_rows_to_the_next_attempt(
    importer: Importer, fail_after: Callable[[BaseException], None]
) -> None:
    fail_after(LeaseLost("taken over"))
    version_id, job_id = importer.ask(JSONL)
    with pytest.raises(LeaseLost):
        importer.work(job_id)
    assert importer.num_rows(version_id) == 1


def test_after_a_crash_the_next_attempt_puts_nothing_in_twice(
    importer: Importer, fail_after: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_after(LeaseLost("as sudden as a death: nothing is cleaned up"))
    version_id, job_id = importer.ask(JSONL)
    with pytest.raises(LeaseLost):
        importer.work(job_id)
    monkeypatch.undo()
    assert importer.work(job_id) == {"num_rows": 3, "num_bad_rows": 0}
    assert [row.position for row in importer.look(version_id)[1]] == [1, 2, 3]


def test_a_version_that_is_not_complete_is_not_seen(importer: Importer) -> None:
    first, _ = importer.bring(JSONL)
    version_id, _ = importer.ask(JSONL, dataset_id=first.dataset_id)
    with importer.database.reading() as session:
        assert queries.newest_version(session, first.dataset_id).id == first.id
        assert [version.number for version in queries.versions(session, first.dataset_id)] == [2, 1]
        with pytest.raises(DatasetNotReady):
            queries.version(session, version_id)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_rows_of_an_import_that_died_and_was_given_up_go_with_the_next_import(
    importer: Importer, fail_after: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch, state: JobState
) -> None:
    fail_after(LeaseLost("as sudden as a death"))
    given_up, job_id = importer.ask(JSONL)
    with pytest.raises(LeaseLost):
        importer.work(job_id)
    monkeypatch.undo()
    importer.bring(JSONL, name="while it is at work")
    assert importer.num_rows(given_up) == 1
    importer.end(job_id, state)
    kept, _ = importer.bring(JSONL, name="the next one")
    assert importer.num_rows(given_up) == 0
    assert importer.num_rows(kept.id) == 3


def test_an_import_that_is_asked_to_stop_leaves_no_rows(importer: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_jobs, "BATCH_ROWS", 1)
    version_id, job_id = importer.ask(JSONL)
    context = importer.context(job_id)
    importer.worker.ask_to_stop()
    assert KIND.work("read", context) == {}
    assert importer.num_rows(version_id) == 0


def test_an_upload_that_is_too_large_leaves_nothing(home: Home) -> None:
    with pytest.raises(UploadTooLarge):
        service.save_upload(home, io.BytesIO(b"x" * 101), "a.csv", max_bytes=100)
    assert list(home.uploads.iterdir()) == []


def test_the_same_upload_is_kept_once_under_its_hash(home: Home) -> None:
    first = service.save_upload(home, io.BytesIO(b"a,b\n"), "a.csv")
    second = service.save_upload(home, io.BytesIO(b"a,b\n"), "b\0\ud800.csv")
    assert first.sha256 == second.sha256
    assert [path.name for path in home.uploads.iterdir()] == [first.sha256]
    assert second.filename == "b\ufffd?.csv"


def test_a_deleted_dataset_is_hidden_and_can_be_brought_back(importer: Importer) -> None:
    version, _ = importer.bring(JSONL)
    with importer.database.transaction() as session:
        service.delete(session, version.dataset_id, by=importer.person)
        session.flush()
        assert queries.page(session, domain="local") == []
        service.restore(session, version.dataset_id, by=importer.person)
        session.flush()
        assert [dataset.id for dataset in queries.page(session, domain="local")] == [version.dataset_id]
        with pytest.raises(DatasetNotFound):
            service.restore(session, "ds_none", by=importer.person)
