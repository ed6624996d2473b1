"""`goldsmith batches`: start, look, stop, take away what is there."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Line

from goldsmith.jobs import queries as jobs
from goldsmith.run.batches import queries
from goldsmith.run.batches.tables import BatchedRequest
from goldsmith.storage import clock


@pytest.fixture
def batch(line: Line, tmp_path: Path) -> str:
    """A batch of two requests that has begun; one of them is answered."""
    file = tmp_path / "requests.jsonl"
    file.write_text('{"custom_id": "a"}\n', encoding="utf-8")
    said = line.json("batches", "start", str(file), "--no-wait", "--window", "2h")
    assert (said["status"], said["endpoint"], said["requests"]) == ("validating", "/v1/chat/completions", 0)
    with line.filling() as (session, _):
        found = queries.one(session, said["id"])
        assert found.expires_at - clock.now() < timedelta(hours=2)
        found.in_progress_at, found.num_requests = clock.now(), 2
        for number, state in enumerate(("answered", "waiting"), start=1):
            request = BatchedRequest(id=f"batch_req_{number}", batch_id=found.id, line=number, state=state)
            request.custom_id, request.model_id, request.start_byte, request.num_bytes = f"r{number}", "bm_1", 0, 1
            if state == "answered":
                request.status_code, request.response = 200, '{"x":1}'
            session.add(request)
    return found.id


def test_a_batch_says_how_far_it_is(line: Line, batch: str) -> None:
    assert [line.json("batches", "show", batch)[name] for name in ("status", "answered", "failed")] == [
        "in_progress",
        1,
        0,
    ]
    assert line.json("batches", "list")[0]["done"] == "1 of 2"


def test_what_is_there_can_be_taken_at_any_time(line: Line, batch: str, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    line.json("batches", "download", batch, "--to", str(path))
    assert [json.loads(one)["response"]["body"] for one in path.read_text().splitlines()] == [{"x": 1}]
    code, problem = line.error("batches", "download", batch, "--to", str(path))
    assert (code != 0, problem["type"]) == (True, "file-is-there")
    line.json("batches", "download", batch, "--side", "errors", "--to", str(path), "--overwrite")
    assert path.read_text() == ""


def test_one_that_waits_is_cancelled_at_once_and_then_is_over(line: Line, batch: str) -> None:
    assert line.json("batches", "cancel", batch)["status"] == "cancelling"
    with line.parts.database.reading() as session:
        found = queries.one(session, batch)
        assert jobs.one(session, found.job_id or "").kind == "batch_end"


def test_one_that_is_not_there_is_said(line: Line) -> None:
    code, problem = line.error("batches", "show", "batch_none")
    assert (code != 0, problem["type"]) == (True, "batch-not-found")


def test_a_file_is_checked_without_being_sent(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('{"custom_id": "a"}\n', encoding="utf-8")
    said = line.json("batches", "check", str(file))
    assert [fault["line"] for fault in said["errors"]] == [1]
    assert line.json("batches", "list") == []
