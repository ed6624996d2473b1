"""Uploaded conversations become a training set: once, whatever dies in between, and not with a bad line."""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from tests.factories import make_base_model

from goldsmith.data import service as data
from goldsmith.data.jobs import ImportKind
from goldsmith.data.tables import DatasetVersion
from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.states import JobState
from goldsmith.jobs.types import JobFailure
from goldsmith.models.tables import BaseModel
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.stars.tables import Mark, TrainingSet, TrainingSetRow
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import write_small_model
from goldsmith.train import chat_files, service
from goldsmith.train.backends.fake import Fake
from goldsmith.train.recipe import ChatFile, ChatFiles, TrainRequest
from goldsmith.train.tables import TrainingJob
from goldsmith.train.workshop import Workshop

MACHINE = MachineFacts("here", 2, 24_000_000_000, (), "x86_64")
Chat = list[dict[str, Any]]


def never() -> bool:
    return False


class Bench:
    """What a supervisor does around the training's first stage, step by step."""

    def __init__(self, database: Database, home: Home, person: Person) -> None:
        self.database, self.home, self.person = database, home, person

    def start(self, learn: bytes, exam: bytes | None = None) -> str:
        files = ChatFiles(self._file(learn, "learn.jsonl"), self._file(exam, "exam.jsonl") if exam else None)
        with self.database.transaction() as session:
            base = session.scalar(select(BaseModel.id)) or self._base(session)
            request = TrainRequest(str(base), "fake", files=files)
            workshop = Workshop(self.home, {"fake": Fake()}, MACHINE)
            return service.start(session, request, workshop=workshop, by=self.person).id

    def _base(self, session: Session) -> str:
        base = make_base_model(session, by=self.person)
        write_small_model(self.home.root / base.folder)
        return base.id

    def _file(self, content: bytes, name: str) -> ChatFile:
        return ChatFile("file-1", data.save_upload(self.home, io.BytesIO(content), name))

    def import_all(self) -> None:
        with self.database.reading() as session:
            waiting = [job.id for job in jobs.page(session, domain="local", kind="import", states=[JobState.QUEUED])]
        for job_id in waiting:
            self._move(job_id, JobState.STARTING, JobState.RUNNING)
            try:
                ImportKind(memory_limit_bytes=None).work("read", self.context(job_id))
                self._move(job_id, JobState.SUCCEEDED)
            except Exception as error:  # noqa: BLE001 - as the worker does
                failure = JobFailure("x", str(error), "Mend it.")
                with self.database.transaction() as session:
                    queue.fail(session, jobs.one(session, job_id), failure)

    def _move(self, job_id: str, *states: JobState) -> None:
        with self.database.transaction() as session:
            for state in states:
                queue.move(session, jobs.one(session, job_id), state, "test")

    def context(self, job_id: str, should_stop: Callable[[], bool] = never) -> WorkContext:
        with self.database.reading() as session:
            view = jobs.view(jobs.one(session, job_id))
        folder = JobFolder.of(self.home, job_id)
        return WorkContext(view, self.database, self.home, folder, should_stop, self.database.transaction, _silent)

    def count(self, table: Any) -> int:
        with self.database.reading() as session:
            return int(session.scalar(select(func.count()).select_from(table)) or 0)


def _silent(_progress: float | None, _message: str | None) -> None:
    return None


@pytest.fixture
def bench(database: Database, home: Home, person: Person) -> Bench:
    return Bench(database, home, person)


def chat(question: str, answer: str) -> Chat:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def lines(chats: Sequence[Any]) -> bytes:
    return "".join(json.dumps({"messages": one}) + "\n" for one in chats).encode()


def rows_of(session: Session, set_id: str) -> dict[str, list[str]]:
    rows = session.scalars(select(TrainingSetRow).where(TrainingSetRow.training_set_id == set_id))
    found: dict[str, list[str]] = {"learn": [], "exam": []}
    for row in rows:
        found[row.side].append(row.messages[0]["content"])
    return found


TEN = [chat(f"question {n}", f"answer {n}") for n in range(10)]


def test_conversations_are_learned_and_a_share_is_held_back(bench: Bench) -> None:
    job_id = bench.start(lines(TEN))
    bench.import_all()
    made = chat_files.make_set(bench.context(job_id))
    assert made is not None
    assert (made.num_learn, made.num_exam) == (8, 2)
    with bench.database.reading() as session:
        training = session.get_one(TrainingJob, job_id)
        assert (training.training_set_id, training.sample_count) == (made.id, 8)


def test_a_second_file_is_the_exam_and_what_is_in_both_is_never_learned(bench: Bench) -> None:
    exam = [*(chat(f"exam {n}", "x") for n in range(3)), TEN[0]]
    job_id = bench.start(lines(TEN), lines(exam))
    bench.import_all()
    made = chat_files.make_set(bench.context(job_id))
    assert made is not None
    with bench.database.reading() as session:
        found = rows_of(session, made.id)
    assert sorted(found["exam"]) == ["exam 0", "exam 1", "exam 2", "question 0"]
    assert sorted(found["learn"]) == [f"question {n}" for n in range(1, 10)]


def test_stopped_or_killed_in_between_nothing_is_there_twice(bench: Bench) -> None:
    job_id = bench.start(lines(TEN))
    assert chat_files.make_set(bench.context(job_id, lambda: True)) is None
    bench.import_all()
    looks = iter([False, False, True, True])
    assert chat_files.make_set(bench.context(job_id, lambda: next(looks))) is None
    first = chat_files.make_set(bench.context(job_id))
    second = chat_files.make_set(bench.context(job_id))
    assert first is not None
    assert second is not None
    assert first.id == second.id
    counts = [bench.count(table) for table in (DatasetVersion, Run, Answer, Mark, TrainingSet)]
    assert counts == [1, 1, 10, 10, 1]


def test_the_same_file_is_read_once(bench: Bench) -> None:
    first = bench.start(lines(TEN))
    bench.import_all()
    made = chat_files.make_set(bench.context(first))
    again = chat_files.make_set(bench.context(bench.start(lines(TEN))))
    assert made is not None
    assert again is not None
    assert made.id == again.id
    assert bench.count(DatasetVersion) == 1


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b'{"messages": [\n', "line 4"),
        (b'{"prompt": "a", "completion": "b"}\n', "line 4: a list of messages is expected"),
        (lines([[{"role": "user", "content": "a"}]]), "Conversation 4 .* does not end with a message of the assistant"),
        (lines([chat("a", " ")]), "Conversation 4 .* empty message"),
        (lines([[*chat("a", "b"), {"role": "user", "content": "c"}]]), "Conversation 4 .* does not end"),
        (lines([[{"role": "tool", "content": "x"}, *chat("a", "b")]]), "Conversation 4 .* plain text"),
        (lines([[{"role": "king", "content": "x"}]]), "line 4.*king"),
    ],
)
def test_a_bad_line_fails_the_training_and_is_named(bench: Bench, bad: bytes, words: str) -> None:
    job_id = bench.start(lines(TEN[:3]) + bad + lines(TEN[3:]))
    bench.import_all()
    with pytest.raises(JobFailed, match=words) as caught:
        chat_files.make_set(bench.context(job_id))
    assert caught.value.kind == "invalid_training_file"
    assert bench.count(Mark) == 0


@pytest.mark.parametrize("content", [b"", b"\n\n", b"question,answer\na,b\n", b"\x00\x01\x02", b"{}"])
def test_what_is_no_file_of_conversations_fails_the_training(bench: Bench, content: bytes) -> None:
    job_id = bench.start(lines(TEN), content or b" ")
    bench.import_all()
    with pytest.raises(JobFailed) as caught:
        chat_files.make_set(bench.context(job_id))
    assert caught.value.kind == "invalid_validation_file"
    assert caught.value.message.startswith("The import of the file did not succeed. ")
