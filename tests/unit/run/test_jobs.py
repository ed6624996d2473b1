from collections.abc import Callable
from typing import Any

import pytest

from goldsmith.data.tables import DatasetVersion
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.costs import Rates
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import WorkContext
from goldsmith.people.types import Person
from goldsmith.run import queries, service
from goldsmith.run.jobs import RunKind
from goldsmith.run.tables import PromptVersion, Run
from goldsmith.run.types import RunOptions, RunRequest, SendLimits
from goldsmith.serve.tables import Engine
from goldsmith.storage.database import Database
from goldsmith.testing import FakeEngine

QUICK = SendLimits(backoff_s=0.01, engine_wait_s=0.2)
ContextFor = Callable[..., WorkContext]


@pytest.fixture
def start(
    database: Database, ana: Person, version: DatasetVersion, prompt: PromptVersion, point_engine: Callable[[str], None]
) -> Callable[..., Run]:
    def start(url: str, dataset_version: DatasetVersion = version, **options: Any) -> Run:
        point_engine(url)
        request = RunRequest(dataset_version.id, prompt.id, "tiny", options=RunOptions(**options))
        with database.transaction() as session:
            return service.start(session, request, by=ana)

    return start


def texts(database: Database, run: Run) -> list[str]:
    with database.reading() as session:
        return [found.answer.text for found in queries.answers(session, run.id)]


def test_every_row_gets_its_answer(database: Database, start: Callable[..., Run], context_for: ContextFor) -> None:
    with FakeEngine("bm_1", answer=lambda model, messages, body: f"A: {messages[-1]['content']}") as engine:
        run = start(engine.url)
        result = RunKind(limits=QUICK).work("answer", context_for(run.job_id))
    assert texts(database, run) == [f"A: Topic of: message {number}" for number in (1, 2, 3)]
    assert (result["num_answered"], result["num_failed"]) == (3, 0)


def test_a_run_that_was_killed_asks_only_what_is_open(
    database: Database, start: Callable[..., Run], context_for: ContextFor
) -> None:
    with FakeEngine("bm_1") as engine:
        run = start(engine.url, concurrency=1)
        context = context_for(run.job_id)
        engine.faults.die_after = 2
        with pytest.raises(JobFailed, match="cannot be reached"):
            RunKind(limits=QUICK).work("answer", context)
        assert len(texts(database, run)) == 2
        engine.stop()
        engine.faults.die_after = None
        engine.start()
        engine.requests.clear()
        RunKind(limits=QUICK).work("answer", context)
        assert [body["messages"][0]["content"] for body in engine.requests] == ["Topic of: message 3"]
    assert len(texts(database, run)) == 3


def test_asked_to_stop_it_keeps_what_it_has(
    database: Database, start: Callable[..., Run], context_for: ContextFor
) -> None:
    with FakeEngine("bm_1") as engine:
        run = start(engine.url)
        RunKind(limits=QUICK).work("answer", context_for(run.job_id, should_stop=lambda: True))
    assert texts(database, run) == []


def test_only_as_many_rows_as_were_wanted(
    database: Database, start: Callable[..., Run], context_for: ContextFor
) -> None:
    with FakeEngine("bm_1") as engine:
        run = start(engine.url, max_rows=2)
        RunKind(limits=QUICK).work("answer", context_for(run.job_id))
    assert run.num_rows == 2
    assert len(texts(database, run)) == 2


def test_when_every_row_failed_the_job_failed(
    database: Database, start: Callable[..., Run], context_for: ContextFor
) -> None:
    with FakeEngine("bm_1") as engine:
        engine.faults.answer_500 = True
        run = start(engine.url)
        with pytest.raises(JobFailed, match=r"All 3 rows failed.*EngineCore") as failed:
            RunKind(limits=QUICK).work("answer", context_for(run.job_id))
    assert failed.value.kind == "every_row_failed"


def test_only_the_failed_rows_are_asked_again(
    database: Database, ana: Person, start: Callable[..., Run], context_for: ContextFor
) -> None:
    is_ill = True

    def answer(model: str, messages: Any, body: Any) -> str:
        if is_ill and "message 2" in messages[-1]["content"]:
            raise RuntimeError("no")
        return "fine"

    with FakeEngine("bm_1", answer=answer) as engine:
        run = start(engine.url)
        result = RunKind(limits=QUICK).work("answer", context_for(run.job_id))
        assert (result["num_answered"], result["num_failed"]) == (2, 1)
        with database.transaction() as session:
            from goldsmith.jobs import queue
            from goldsmith.jobs.states import JobState

            job = job_queries.one(session, run.job_id or "")
            queue.move(session, job, JobState.RUNNING, "test")
            queue.finish(session, job, result)
        with database.transaction() as session:
            job = service.retry_failed(session, run.id, by=ana)
        is_ill = False
        engine.requests.clear()
        again = RunKind(limits=QUICK).work("answer", context_for(job.id))
        assert len(engine.requests) == 1
        assert again["cost"]["machine_s"] > result["cost"]["machine_s"]  # the first job's time counts too
    assert texts(database, run) == ["fine"] * 3


def test_an_engine_that_failed_is_said_at_once(
    database: Database, start: Callable[..., Run], context_for: ContextFor
) -> None:
    run = start("http://127.0.0.1:1")
    context = context_for(run.job_id)

    def fail(wanted: Any) -> None:
        with database.transaction() as session:
            engine = session.get_one(Engine, "eng_1")
            engine.state, engine.message = "failed", "out of memory"

    report = context.report

    def fail_when_waiting(progress: float | None, message: str | None) -> None:
        report(progress, message)
        fail(None)

    with database.transaction() as session:
        session.get_one(Engine, "eng_1").state = "starting"
    context = WorkContext(**{**vars(context), "report": fail_when_waiting})
    with pytest.raises(JobFailed, match="out of memory"):
        RunKind(limits=QUICK).work("answer", context)


def test_a_control_word_in_a_row_is_named(
    database: Database, start: Callable[..., Run], context_for: ContextFor
) -> None:
    def finder_for(*_: Any) -> Callable[[str], list[str]]:
        return lambda text: ["<|im_end|>"] if "message 2" in text else []

    with FakeEngine("bm_1") as engine:
        run = start(engine.url)
        result = RunKind(limits=QUICK, word_finder=finder_for).work("answer", context_for(run.job_id))
    assert result["control_words"] == [{"row": 2, "word": "<|im_end|>"}]


def test_a_row_that_leaves_the_prompt_empty_fails_with_words(
    database: Database, ana: Person, make_version: Any, context_for: ContextFor, point_engine: Callable[[str], None]
) -> None:
    from goldsmith.run import prompts
    from goldsmith.run.types import PromptDraft

    rows = make_version([{"message": "m"}, {"message": "  "}])
    with FakeEngine("bm_1") as engine:
        point_engine(engine.url)
        with database.transaction() as session:
            wording = prompts.save_prompt(session, "plain", PromptDraft("{{message}}"), by=ana)
            run = service.start(session, RunRequest(rows.id, wording.id, "bm_1"), by=ana)
        RunKind(limits=QUICK).work("answer", context_for(run.job_id))
    with database.reading() as session:
        assert [found.answer.state for found in queries.answers(session, run.id)] == ["answered", "failed"]
        assert "nothing to ask" in (queries.answers(session, run.id)[1].answer.error or "")


def test_it_says_what_it_cost_also_of_the_part_before_a_pause(
    database: Database, start: Callable[..., Run], context_for: ContextFor
) -> None:
    with FakeEngine("bm_1") as engine:
        run = start(engine.url)
        with database.transaction() as session:
            session.get_one(Engine, "eng_1").kind = "ours"
            job_queries.one(session, run.job_id or "").result = {"cost": {"usd": 1.0, "kwh": 0.1, "machine_s": 3600.0}}
        result = RunKind(limits=QUICK, rates=Rates(usd_per_hour=2.0)).work("answer", context_for(run.job_id))
    assert 2.0 <= result["cost"]["usd"] < 2.1
    assert 3600 < result["cost"]["machine_s"] < 3700
    assert result["cost"]["kwh"] is None
