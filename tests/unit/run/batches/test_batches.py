"""A batch from its file to its files, with a worker in this process and the fake engine."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.run.batches.conftest import MakeBatch, chat, kinds, lines

from goldsmith.data.tables import StoredFile
from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.kinds import WorkContext
from goldsmith.jobs.states import JobState
from goldsmith.people.types import Person
from goldsmith.run.batches import queries, service
from goldsmith.run.batches.errors import BatchIsOver, BatchNotUsable
from goldsmith.run.batches.files import pieces
from goldsmith.run.batches.jobs import BatchKeeper, BatchKind
from goldsmith.run.batches.tables import Batch, BatchedRequest
from goldsmith.run.batches.types import ASK_JOB, END_JOB, Side
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import FakeEngine

Look = Callable[[Batch], Batch]
WorkOff = Callable[..., list[str]]


def read(database: Database, home: Home, file_id: str | None) -> list[dict[str, Any]]:
    with database.reading() as session:
        file = session.get_one(StoredFile, file_id)
        return [json.loads(line) for line in (home.uploads / file.sha256).read_text().splitlines()]


def partial(database: Database, batch: Batch, side: Side = Side.OUTPUT) -> list[str]:
    content = b"".join(pieces(database, batch.id, side)).decode()
    return [json.loads(line)["custom_id"] for line in content.splitlines()]


def test_a_batch_passes_through_its_three_jobs(
    database: Database, home: Home, make_batch: MakeBatch, work_off: WorkOff, look: Look, point_engine: Any
) -> None:
    with FakeEngine("bm_1") as engine:
        point_engine(engine.url)
        batch = make_batch(lines(*(chat(f"m{number}") for number in range(1, 121))))
        assert look(batch).status == "validating"
        assert work_off() == ["batch_check", "batch", "batch_end"]
    done = look(batch)
    assert (done.status, done.is_over, done.models, done.faults) == ("completed", True, ["bm_1"], [])
    assert (done.num_requests, done.num_answered, done.num_failed) == (120, 120, 0)
    assert (done.prompt_tokens or 0) > 0
    found = read(database, home, done.output_file_id)
    assert [line["custom_id"] for line in found] == [f"r{number}" for number in range(1, 121)]
    assert found[6]["response"]["body"]["choices"][0]["message"]["content"] == "You said: m7"
    assert (found[6]["error"], found[6]["response"]["status_code"]) == (None, 200)
    assert len({line["id"] for line in found}) == 120
    assert done.error_file_id is None


def test_stopped_in_the_middle_it_asks_only_what_is_open_when_it_goes_on(
    database: Database,
    make_batch: MakeBatch,
    work_off: WorkOff,
    look: Look,
    point_engine: Any,
    context_for: Callable[..., WorkContext],
) -> None:
    with FakeEngine("bm_1", delay_s=0.1) as engine:
        point_engine(engine.url)
        batch = make_batch(lines(*(chat(f"m{number}") for number in range(1, 41))))
        work_off(until=ASK_JOB)
        context = context_for(look(batch).job_id or "", lambda: len(engine.requests) >= 10)
        kinds()[ASK_JOB].work("ask", context)
        first = partial(database, batch)
        assert 10 <= len(first) < 40
        asked = {body["messages"][0]["content"] for body in engine.requests}
        engine.requests.clear()
        kinds()[ASK_JOB].work("ask", WorkContext(**{**vars(context), "should_stop": lambda: False}))
        assert asked.isdisjoint({body["messages"][0]["content"] for body in engine.requests})
    assert partial(database, batch) == [f"r{number}" for number in range(1, 41)]


def test_a_finished_request_is_never_written_again(
    database: Database, make_batch: MakeBatch, work_off: WorkOff, look: Look, point_engine: Any
) -> None:
    with FakeEngine("bm_1") as engine:
        point_engine(engine.url)
        batch = make_batch(lines(chat("m1"), chat("m2")))
        work_off(until=ASK_JOB)
        with database.transaction() as session:
            done = queries.requests_to_ask(session, batch.id, "bm_1", after=0)[0]
            done.state, done.response, done.status_code = "answered", '{"kept": true}', 200
        work_off()
    with database.reading() as session:
        kept = session.get_one(BatchedRequest, done.id)
        assert kept.response == '{"kept": true}'
        assert queries.counts(session, look(batch)).num_answered == 2


@pytest.mark.parametrize("until", ["batch_check", ASK_JOB])
def test_cancelled_while_it_waits_it_ends_with_what_it_has(
    until: str,
    database: Database,
    home: Home,
    ana: Person,
    make_batch: MakeBatch,
    work_off: WorkOff,
    look: Look,
    point_engine: Any,
) -> None:
    point_engine("http://127.0.0.1:1")
    batch = make_batch(lines(chat("m1"), chat("m2")))
    work_off(until=until)
    with database.transaction() as session:
        assert service.cancel(session, batch.id, by=ana).status == "cancelling"
        assert service.cancel(session, batch.id, by=ana).status == "cancelling"
    assert work_off() == [END_JOB]
    done = look(batch)
    assert (done.status, done.output_file_id) == ("cancelled", None)
    if until == ASK_JOB:
        errors = read(database, home, done.error_file_id)
        assert [(line["custom_id"], line["error"]["code"]) for line in errors] == [
            ("r1", "batch_cancelled"),
            ("r2", "batch_cancelled"),
        ]
    with database.transaction() as session, pytest.raises(BatchIsOver, match="is cancelled"):
        service.cancel(session, batch.id, by=ana)


def test_one_whose_time_is_over_keeps_what_was_answered(
    database: Database, home: Home, make_batch: MakeBatch, work_off: WorkOff, look: Look, point_engine: Any
) -> None:
    point_engine("http://127.0.0.1:1")
    batch = make_batch(lines(chat("m1"), chat("m2")), window="1h")
    work_off(until=ASK_JOB)
    with database.transaction() as session:
        done = queries.requests_to_ask(session, batch.id, "bm_1", after=0)[0]
        done.state, done.response, done.status_code = "answered", "{}", 200
        queries.one(session, batch.id).expires_at = clock.now() - timedelta(seconds=1)
    BatchKeeper(database).tick(clock.now())
    work_off()
    expired = look(batch)
    assert (expired.status, expired.num_answered, expired.num_failed) == ("expired", 1, 0)
    assert [line["custom_id"] for line in read(database, home, expired.output_file_id)] == ["r1"]
    errors = read(database, home, expired.error_file_id)
    assert [(line["custom_id"], line["response"], line["error"]["code"]) for line in errors] == [
        ("r2", None, "batch_expired")
    ]


def test_the_worker_looks_at_the_clock_itself(
    database: Database, make_batch: MakeBatch, work_off: WorkOff, look: Look, point_engine: Any
) -> None:
    with FakeEngine("bm_1") as engine:
        point_engine(engine.url)
        batch = make_batch(lines(chat("m1")))
        work_off(until=ASK_JOB)
        with database.transaction() as session:
            queries.one(session, batch.id).expires_at = clock.now() - timedelta(seconds=1)
        work_off()
        assert engine.requests == []
    assert look(batch).status == "expired"


def test_an_engine_that_stays_away_fails_the_batch_and_it_goes_on_when_resumed(
    database: Database, home: Home, make_batch: MakeBatch, work_off: WorkOff, look: Look, point_engine: Any
) -> None:
    point_engine("http://127.0.0.1:1")
    batch = make_batch(lines(chat("m1"), chat("m2")))
    work_off()
    failed = look(batch)
    assert (failed.status, failed.faults[0]["code"]) == ("failed", "engine_gone")
    assert [line["error"]["code"] for line in read(database, home, failed.error_file_id)] == ["batch_failed"] * 2
    with FakeEngine("bm_1") as engine:
        point_engine(engine.url)
        with database.transaction() as session:
            job = jobs.newest_of(session, batch.id, ASK_JOB)
            assert job is not None
            queue.again(session, job, "resumed")
        assert look(batch).status == "in_progress"
        work_off()
    done = look(batch)
    assert (done.status, done.faults, done.error_file_id) == ("completed", [], None)
    assert len(read(database, home, done.output_file_id)) == 2


def test_a_model_that_cannot_be_asked_does_not_keep_the_others_waiting(
    database: Database, ana: Person, make_batch: MakeBatch, work_off: WorkOff, look: Look, point_engine: Any
) -> None:
    from goldsmith.serve import outside

    with database.transaction() as session:
        provider = outside.add_provider(session, "http://127.0.0.1:1", model="away", by=ana)
    with FakeEngine("bm_1") as engine:
        point_engine(engine.url)
        batch = make_batch(lines(chat("m1", model="away"), chat("m2"), chat("m3", model="away"), chat("m4")))
        work_off()
    done = look(batch)
    assert done.models == [provider.id, "bm_1"]
    assert (done.status, done.num_answered, done.faults[0]["code"]) == ("failed", 2, "engine_gone")


def test_a_file_with_faults_leaves_nothing_behind(
    database: Database, make_batch: MakeBatch, work_off: WorkOff, look: Look, base_model: Any
) -> None:
    batch = make_batch(lines(chat("m1")) + lines(chat("m2")) + b"{\n")
    assert work_off() == ["batch_check"]
    failed = look(batch)
    assert failed.status == "failed"
    assert [(fault["line"], fault["code"]) for fault in failed.faults] == [
        (2, "duplicate_custom_id"),
        (3, "invalid_json_line"),
    ]
    with database.reading() as session:
        assert queries.last_line(session, batch.id) == 0


def test_bytes_that_are_gone_fail_the_batch_with_the_reason(
    home: Home, make_batch: MakeBatch, work_off: WorkOff, look: Look, base_model: Any
) -> None:
    batch = make_batch(lines(chat("m1")))
    (home.uploads / batch.input_sha256).unlink()
    work_off()
    failed = look(batch)
    assert (failed.status, failed.faults[0]["code"]) == ("failed", "file_gone")


def test_a_check_that_was_killed_goes_on_behind_the_last_line(
    database: Database, make_batch: MakeBatch, work_off: WorkOff, look: Look, base_model: Any
) -> None:
    batch = make_batch(lines(*(chat(f"m{number}") for number in range(1, 6))))
    with database.transaction() as session:
        for number in (1, 2):
            session.add(
                BatchedRequest(
                    id=f"batch_req_{number}",
                    batch_id=batch.id,
                    line=number,
                    custom_id=f"r{number}",
                    model_id="bm_1",
                    start_byte=0,
                    num_bytes=1,
                    state="waiting",
                )
            )
    work_off(until=ASK_JOB)
    assert look(batch).num_requests == 5
    with database.reading() as session:
        assert [each.line for each in queries.requests_to_ask(session, batch.id, "bm_1", after=0)] == [1, 2, 3, 4, 5]


def test_an_end_that_failed_is_said_and_can_be_had_again(
    database: Database, make_batch: MakeBatch, work_off: WorkOff, look: Look, point_engine: Any
) -> None:
    with FakeEngine("bm_1") as engine:
        point_engine(engine.url)
        batch = make_batch(lines(chat("m1")))
        work_off(until=END_JOB)
    assert look(batch).status == "finalizing"
    with database.transaction() as session:
        job = queue.claim(session, machine="here", slot=None)
        assert job is not None
        queue.move(session, job, JobState.FAILED, "the disk is full")
    assert look(batch).status == "failed"
    with database.transaction() as session:
        queue.again(session, jobs.one(session, job.id), "there is room")
    work_off()
    assert look(batch).status == "completed"


def test_when_every_request_failed_its_job_failed_too(
    database: Database, make_batch: MakeBatch, work_off: WorkOff, look: Look, point_engine: Any
) -> None:
    with FakeEngine("bm_1") as engine:
        point_engine(engine.url)
        batch = make_batch(lines(chat("m1", stream=True), chat("m2", top_p=7)))
        work_off()
    failed = look(batch)
    assert (failed.status, failed.faults[0]["code"], failed.num_failed) == ("failed", "every_request_failed", 2)
    with database.reading() as session:
        job = jobs.newest_of(session, batch.id, ASK_JOB)
    assert job is not None
    assert job.state == "failed"


def test_what_no_batch_can_do_is_refused(make_batch: MakeBatch) -> None:
    with pytest.raises(BatchNotUsable, match="cannot ask"):
        make_batch(lines(chat("m1")), endpoint="/v1/images")
    for window in ("", "24", "1y", "0h", "31d", "99999h"):
        with pytest.raises(BatchNotUsable, match="no time"):
            make_batch(lines(chat("m1")), window=window)


def test_one_engine_place_is_held_only_where_an_engine_of_ours_is_asked(
    database: Database, ana: Person, make_batch: MakeBatch, work_off: WorkOff, look: Look, point_engine: Any
) -> None:
    from goldsmith.serve import outside

    point_engine("http://127.0.0.1:1")
    with database.transaction() as session:
        outside.add_provider(session, "http://127.0.0.1:1", model="away", by=ana)
    needs = {}
    for model in ("tiny", "away"):
        batch = make_batch(lines(chat("m1", model=model)))
        work_off(until=ASK_JOB)
        with database.transaction() as session:
            job = jobs.one(session, look(batch).job_id or "")
            needs[model] = job.needs_slot
            service.cancel(session, batch.id, by=ana)
        work_off()
    assert needs == {"tiny": True, "away": False}


def test_the_kind_takes_its_limits_from_the_machine() -> None:
    from goldsmith.run.batches.jobs import limits_on

    assert limits_on("cpu").concurrency < limits_on("cuda").concurrency
    assert BatchKind.name == ASK_JOB


def test_a_batch_asks_both(
    both: list[FakeEngine],
    make_batch: MakeBatch,
    work_off: WorkOff,
    look: Look,
) -> None:
    batch = make_batch(lines(*(chat(f"m{number}") for number in range(100))))
    work_off()
    assert (look(batch).status, look(batch).num_answered) == ("completed", 100)
    assert [len(engine.requests) > 10 for engine in both] == [True, True]
    assert sum(len(engine.requests) for engine in both) == 100
