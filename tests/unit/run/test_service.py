from collections.abc import Callable

import pytest

from goldsmith.data.errors import DatasetNotFound
from goldsmith.data.tables import DatasetVersion
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs import queue
from goldsmith.jobs.errors import MoveNotAllowed
from goldsmith.jobs.states import JobState
from goldsmith.models.errors import ModelNotFound
from goldsmith.people.types import Person
from goldsmith.run import prompts, queries, service
from goldsmith.run.errors import NothingToRetry, PromptVariableUnknown, RunNotFound, RunOptionsNotUsable
from goldsmith.run.tables import PromptVersion
from goldsmith.run.types import PromptDraft, RunOptions, RunRequest
from goldsmith.serve import outside
from goldsmith.storage.database import Database

STRANGER = Person("per_x", "Xaver", domain="elsewhere")


@pytest.fixture
def request_(version: DatasetVersion, prompt: PromptVersion, point_engine: Callable[[str], None]) -> RunRequest:
    point_engine("http://127.0.0.1:1")
    return RunRequest(version.id, prompt.id, "tiny")


def test_a_run_is_recorded_with_its_job(database: Database, ana: Person, request_: RunRequest) -> None:
    with database.transaction() as session:
        run = service.start(session, request_, by=ana)
        job = job_queries.one(session, run.job_id or "")
    assert (run.name, run.kind, run.num_rows, run.created_by) == ("tiny on messages", "model", 3, ana.id)
    assert (job.kind, job.subject_id, job.needs_slot, job.state) == ("run", run.id, True, "queued")


def test_a_run_at_a_provider_needs_no_slot(database: Database, ana: Person, request_: RunRequest) -> None:
    with database.transaction() as session:
        provider = outside.add_provider(session, "https://api.example.org/v1", model="big", by=ana)
        request = RunRequest(request_.dataset_version_id, request_.prompt_version_id, provider.id)
        run = service.start(session, request, by=ana)
        assert job_queries.one(session, run.job_id or "").needs_slot is False
    assert run.name == "big on messages"


def test_a_prompt_with_an_unknown_variable_is_refused_before_anything_starts(
    database: Database, ana: Person, request_: RunRequest
) -> None:
    with database.transaction() as session:
        wrong = prompts.save_prompt(session, "wrong", PromptDraft("{{text}}"), by=ana)
    with database.transaction() as session, pytest.raises(PromptVariableUnknown, match="message, label"):
        service.start(session, RunRequest(request_.dataset_version_id, wrong.id, "tiny"), by=ana)
    with database.reading() as session:
        assert queries.page(session, domain=ana.domain) == []


def test_an_unknown_model_is_refused(database: Database, ana: Person, request_: RunRequest) -> None:
    request = RunRequest(request_.dataset_version_id, request_.prompt_version_id, "nobody")
    with database.transaction() as session, pytest.raises(ModelNotFound):
        service.start(session, request, by=ana)


@pytest.mark.parametrize(
    "options", [RunOptions(max_tokens=0), RunOptions(temperature=3), RunOptions(concurrency=0), RunOptions(max_rows=0)]
)
def test_an_option_out_of_its_limits_is_named(
    database: Database, ana: Person, request_: RunRequest, options: RunOptions
) -> None:
    request = RunRequest(request_.dataset_version_id, request_.prompt_version_id, "tiny", options=options)
    with database.transaction() as session, pytest.raises(RunOptionsNotUsable, match="must be from"):
        service.start(session, request, by=ana)


def test_strangers_see_and_use_nothing(database: Database, ana: Person, request_: RunRequest) -> None:
    with database.transaction() as session:
        run = service.start(session, request_, by=ana)
        with pytest.raises(DatasetNotFound):
            service.start(session, request_, by=STRANGER)
        with pytest.raises(RunNotFound):
            service.cancel(session, run.id, by=STRANGER)


def test_a_waiting_run_is_cancelled_and_can_be_resumed(database: Database, ana: Person, request_: RunRequest) -> None:
    with database.transaction() as session:
        run = service.start(session, request_, by=ana)
        assert service.cancel(session, run.id, by=ana).state == "cancelled"
        job = service.resume(session, run.id, by=ana)
        assert (job.state, job.attempt) == ("queued", 2)


def test_a_running_run_is_told_to_pause(database: Database, ana: Person, request_: RunRequest) -> None:
    with database.transaction() as session:
        run = service.start(session, request_, by=ana)
        with pytest.raises(MoveNotAllowed):
            service.pause(session, run.id, by=ana)
        job = queue.claim(session, machine="here", slot="cpu")
        assert job is not None
        queue.move(session, job, JobState.RUNNING, "test")
        assert service.pause(session, run.id, by=ana).stop_requested == "pause"


def test_nothing_failed_means_nothing_to_retry(database: Database, ana: Person, request_: RunRequest) -> None:
    with database.transaction() as session:
        run = service.start(session, request_, by=ana)
        with pytest.raises(NothingToRetry):
            service.retry_failed(session, run.id, by=ana)
