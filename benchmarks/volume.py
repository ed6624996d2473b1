"""A database as it is after a year of work: 100,000 answers, 10,000 gold stars, 50 trainings, a batch of 50,000.

One loop is walked as the tests walk it, with the real services; then come more rows. The texts are the sample's.
"""

import csv
import itertools
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session
from tests.factories import HASH, make_dataset_version
from tests.web.loop_rows import Walk

from goldsmith import app
from goldsmith.app import Parts
from goldsmith.compare import queries as compare
from goldsmith.data import service as data
from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.demo import story
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job, JobEvent
from goldsmith.people import service as people
from goldsmith.run.batches import service as batches
from goldsmith.run.batches.tables import BatchedRequest
from goldsmith.run.batches.types import NewBatch
from goldsmith.run.tables import Answer, Run
from goldsmith.serve.tables import Alias
from goldsmith.stars.tables import Mark
from goldsmith.storage import clock
from goldsmith.storage.database import Table
from goldsmith.storage.ids import Prefix, new_id

PERSON = "Ada"
NUM_ROWS = 50_000
RUN_SIZES = (50_000, 30_000, *itertools.repeat(900, 20))
STARRED_EVERY = 5
NUM_TRAININGS = 50
NUM_COMPARISONS = 10
NUM_JOBS = 1_000
EVENTS_A_JOB = 10
NUM_BATCHED = 50_000
ROWS_AT_ONCE = 5_000
Ids = dict[str, list[str]]


def fill(parts: Parts) -> Ids:
    """Fill the empty database. Returns ids by the name that they have in addresses, the largest thing first."""
    dice = random.Random(0)  # noqa: S311 - the same rows every time, no secret
    with parts.database.transaction() as session:
        walk = Walk(session, parts.home, people.known_by_name(session, PERSON), app.make_backends(), num_rows=300)
        walk.bring_rows()
        walk.ask(num_right=120)
        walk.star()
        walk.export()
        training_ids, model_ids = _trainings(walk)
        comparison_ids = _comparisons(walk)
        job_ids = _jobs(session, walk)
    small_set = walk.set_id
    with parts.database.transaction() as session:
        walk.session = session
        version = _version(session, walk)
        runs = [_run(session, walk, version, size, dice) for size in RUN_SIZES]
        _mark(session, walk, runs[0])
    with parts.database.transaction() as session:
        walk.session = session
        walk.export()
        walk.start_training("all stars")
        walk.run_training(steps=45)
        walk.finish_training()
        comparison_ids.append(_large_comparison(walk))
        alias, batch_id = _alias(walk), _batch(walk)
    with story.rows_path().open("rb") as file:
        upload = data.save_upload(parts.home, file, "support_messages.csv")
    return {
        "dataset_id": [version.dataset_id],
        "run_id": [runs[0], walk.run_id],
        "set_id": [walk.set_id, small_set],
        "training_id": [walk.training_id, training_ids[-1]],
        "model_id": [walk.model_id, model_ids[-1], walk.base_id],
        "alias": [alias],
        "batch_id": [batch_id],
        "comparison_id": [comparison_ids[-1], comparison_ids[0]],
        "job_id": [job_ids[-1]],
        "sha256": [upload.sha256],
    }


def counted(parts: Parts) -> dict[str, int]:
    """How many rows every table has."""
    with parts.database.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in sorted(Table.metadata.tables.items())
        }


def settle(parts: Parts) -> None:
    """Let the database look at its tables once, as it does by itself in time."""
    statement = "ANALYZE" if parts.database.is_sqlite else "VACUUM ANALYZE"
    engine = parts.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.execute(statement)


def _messages() -> Iterator[dict[str, str]]:
    with story.rows_path().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number in itertools.count(1):
        row = rows[number % len(rows)]
        yield {**row, "message": f"{row['message']} (case {number})"}


def _version(session: Session, walk: Walk) -> DatasetVersion:
    version = make_dataset_version(session, [{"message": "", "expected": ""}], by=walk.by, name="a year of messages")
    session.execute(delete(Row).where(Row.dataset_version_id == version.id))
    version.num_rows = NUM_ROWS
    rows = (
        {
            "id": new_id(Prefix.ROW),
            "dataset_version_id": version.id,
            "position": position,
            "content": content,
            "content_hash": HASH,
        }
        for position, content in enumerate(itertools.islice(_messages(), NUM_ROWS), start=1)
    )
    _insert(session, Row, rows)
    return version


def _run(session: Session, walk: Walk, version: DatasetVersion, num_answers: int, dice: random.Random) -> str:
    first = session.get_one(Run, walk.run_id)
    run = Run(
        id=new_id(Prefix.RUN),
        name=f"{num_answers:,} answers",
        kind="model",
        dataset_version_id=version.id,
        prompt_version_id=first.prompt_version_id,
        model_id=first.model_id,
        options={},
        num_rows=num_answers,
        domain=walk.by.domain,
        created_by=walk.by.id,
    )
    session.add(run)
    session.flush()
    query = select(Row.id, Row.position, Row.content).where(Row.dataset_version_id == version.id)
    rows = session.execute(query.order_by(Row.position).limit(num_answers)).all()
    _insert(session, Answer, (_answer(run.id, *row, dice=dice) for row in rows))
    return run.id


def _answer(
    run_id: str, row_id: str, position: int, content: Mapping[str, str], *, dice: random.Random
) -> dict[str, Any]:
    chance, is_failed = dice.random(), position % 200 == 0
    text = "" if is_failed else content["expected"] if chance < 0.7 else f"I think this is about {chance:.5f}."
    return {
        "id": new_id(Prefix.ANSWER),
        "run_id": run_id,
        "row_id": row_id,
        "position": position,
        "state": "failed" if is_failed else "answered",
        "text": text,
        "parsed": json.loads(text) if text.startswith("{") else None,
        "parse_error": None if text.startswith("{") or is_failed else "It is not JSON.",
        "prompt_tokens": dice.randint(100, 200),
        "answer_tokens": dice.randint(5, 60),
        "duration_ms": round(dice.uniform(100, 9000), 3),
        "finish_reason": None if is_failed else "length" if position % 97 == 0 else "stop",
        "error": "The engine did not answer." if is_failed else None,
        "num_tries": 1,
        "at": clock.now(),
    }


def _mark(session: Session, walk: Walk, run_id: str) -> None:
    """Every fifth answer of the run has a star, a third of them with a correction; some others are marked bad."""
    query = select(Answer.id, Answer.row_id, Answer.position, Row.content).join(Row, Row.id == Answer.row_id)
    found = session.execute(query.where(Answer.run_id == run_id, Answer.state == "answered").order_by(Answer.position))
    marks = (
        {
            "answer_id": answer_id,
            "row_id": row_id,
            "run_id": run_id,
            "kind": "bad" if position % 50 == 1 else "correction" if position % 3 == 0 else "star",
            "is_star": position % 50 != 1,
            "is_bad": position % 50 == 1,
            "correction": content["expected"] if position % 50 != 1 and position % 3 == 0 else None,
            "via": "page",
            "domain": walk.by.domain,
            "created_by": walk.by.id,
            "created_at": clock.now(),
        }
        for answer_id, row_id, position, content in found.all()
        if position % STARRED_EVERY == 2 or position % 50 == 1
    )
    _insert(session, Mark, marks)


def _trainings(walk: Walk) -> tuple[list[str], list[str]]:
    training_ids, model_ids = [], []
    for number in range(NUM_TRAININGS):
        walk.start_training(f"support-triage-{number + 1}")
        walk.run_training(steps=45)
        walk.finish_training()
        training_ids.append(walk.training_id)
        model_ids.append(walk.model_id)
    return training_ids, model_ids


def _comparisons(walk: Walk) -> list[str]:
    walk.deploy()
    found = []
    for _ in range(NUM_COMPARISONS):
        walk.start_comparison()
        walk.answer_arms(num_right={"base": 9, "examples": 13, "tuned": 31})
        walk.finish_comparison()
        found.append(walk.comparison_id)
    return found


def _large_comparison(walk: Walk) -> str:
    """Over the exam of all stars: thousands of rows."""
    walk.deploy()
    walk.start_comparison()
    comparison = compare.one(walk.session, walk.comparison_id, domain=walk.by.domain)
    rows = compare.exam_rows(walk.session, comparison.training_set_id or "")
    for arm in compare.arms(walk.session, walk.comparison_id):
        answers = (
            _answer(arm.run_id, row.row_id, row.position, {"expected": row.expected}, dice=random.Random(arm.name))  # noqa: S311
            for row in rows
        )
        _insert(walk.session, Answer, answers)
    walk.answer_arms(num_right={"base": 0, "examples": 0, "tuned": 0}, num_rows=0)
    walk.finish_comparison()
    return walk.comparison_id


def _alias(walk: Walk) -> str:
    """A stable name that leads to the base model and the newest fine-tuned one."""
    targets = [{"model_id": walk.base_id, "share": 0.9}, {"model_id": walk.model_id, "share": 0.1}]
    whose = {"domain": walk.by.domain, "changed_by": walk.by.id, "changed_at": clock.now()}
    walk.session.add(Alias(name="support", targets=targets, **whose))
    walk.session.flush()
    return "support"


def _batch(walk: Walk) -> str:
    """A batch at work, with most of its requests answered."""
    new = NewBatch("file-1", "requests.jsonl", HASH, "/v1/chat/completions")
    batch = batches.create(walk.session, new, by=walk.by)
    batches.begin_asking(walk.session, batch, [walk.base_id], by=walk.by)
    batch.in_progress_at, batch.num_requests = clock.now() - timedelta(minutes=9), NUM_BATCHED
    requests = (
        {
            "id": f"{batch.id}-{line}",
            "batch_id": batch.id,
            "line": line,
            "custom_id": str(line),
            "state": "failed" if line % 90 == 0 else "answered" if line < NUM_BATCHED * 0.8 else "waiting",
            "model_id": walk.base_id,
            "start_byte": 0,
            "num_bytes": 1,
            "error": "The engine gave no answer within 600 s." if line % 90 == 0 else None,
        }
        for line in range(1, NUM_BATCHED + 1)
    )
    _insert(walk.session, BatchedRequest, requests)
    return batch.id


def _jobs(session: Session, walk: Walk) -> list[str]:
    """Jobs that are over, each with what happened."""
    begun = clock.now() - timedelta(days=30)
    ids = [new_id(Prefix.JOB) for _ in range(NUM_JOBS)]
    whose = {"domain": walk.by.domain, "created_by": walk.by.id, "created_at": begun}
    over = {"state": JobState.SUCCEEDED.value, "started_at": begun, "finished_at": begun + timedelta(minutes=3)}
    jobs = ({"id": each, "kind": "run", "title": "Run over 900 rows", "params": {}, **over, **whose} for each in ids)
    _insert(session, Job, jobs)
    events = (
        {
            "job_id": each,
            "attempt": 1,
            "source": "queue",
            "seq": seq,
            "kind": "state",
            "data": {"to": "running"},
            "at": begun,
        }
        for each in ids
        for seq in range(1, EVENTS_A_JOB + 1)
    )
    _insert(session, JobEvent, events)
    return ids


def _insert(session: Session, table: type[Table], rows: Iterable[Mapping[str, Any]]) -> None:
    iterator = iter(rows)
    while some := list(itertools.islice(iterator, ROWS_AT_ONCE)):
        session.execute(insert(table), some)
