"""A training at a provider: what leaves, what is written for it, and what the child is told and not told."""

import json
import os
import sys
from pathlib import Path

import pytest
from tests.work import context_of

from goldsmith import app
from goldsmith.environments import machine
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.folder import JobFolder
from goldsmith.models.errors import ModelAtProvider
from goldsmith.models.tables import BaseModel
from goldsmith.serve import elsewhere, outside
from goldsmith.serve import queries as serve
from goldsmith.serve.errors import ProviderGone, ProviderNotFound
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.train import repeating, service
from goldsmith.train.errors import NothingToKeep, NotRepeatable
from goldsmith.train.jobs import TrainingKind
from goldsmith.train.recipe import TrainRequest
from goldsmith.train.sending import leaving
from goldsmith.train.tables import TrainingJob
from goldsmith.train.workshop import Workshop
from goldsmith.wire import order

from .small_training import ADA, add_training_at_provider

URL = "https://api.example.com"


@pytest.fixture
def training(database: Database, home: Home) -> TrainingJob:
    with database.transaction() as session:
        return add_training_at_provider(session, home, URL)


@pytest.fixture
def workshop(home: Home) -> Workshop:
    return Workshop(home, app.make_backends(), machine.look())


def kind() -> TrainingKind:
    return TrainingKind(
        backends=app.make_backends(),
        machine=machine.look(),
        python_of=lambda _: Path(sys.executable),
        parent_env=dict(os.environ),
    )


def test_what_leaves_is_told_with_where_to_and_how_much(database: Database, training: TrainingJob) -> None:
    with database.reading() as session:
        found = leaving(
            session,
            session.get_one(TrainingSet, "set_1"),
            elsewhere.provider(session, "the provider", domain=ADA.domain),
        )
    assert (found.num_learn, found.num_exam, found.num_characters, found.about_tokens) == (1, 1, 42, 10)
    assert "1 row to learn and 1 exam row (42 characters, about 10 tokens) leave this machine" in found.sentence
    assert f"go to {URL}, where small-1 learns from them" in found.sentence


def test_it_holds_no_slot_of_this_machine(database: Database, training: TrainingJob) -> None:
    with database.reading() as session:
        job = jobs.one(session, training.id)
        assert not job.needs_slot
        assert job.params["provider"].startswith("eng_")
        assert session.get_one(BaseModel, training.base_model_id).source == "provider"
    assert training.base_model == "small-1 at api.example.com"
    assert training.backend == "openai"


def test_the_child_gets_the_conversations_and_where_the_key_lies_but_not_the_key(
    database: Database, home: Home, training: TrainingJob
) -> None:
    kind().work("prepare", context_of(database, home, training.id))
    folder = JobFolder.of(home, training.id)
    told = order.read(folder.order)
    assert (told.settings["url"], told.settings["model"], told.learn.num_rows) == (URL, "small-1", 1)
    assert json.loads((folder.data / "learn.jsonl").read_text()) == {
        "messages": [{"role": "user", "content": "where is it"}, {"role": "assistant", "content": "on its way"}]
    }
    with database.reading() as session:
        launch = kind().launch(jobs.view(jobs.one(session, training.id)), folder)
    key_file = Path(launch.env["GOLDSMITH_PROVIDER_KEY_FILE"])
    assert key_file.read_text().strip() == "sk-test"
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert "sk-test" not in " ".join([*launch.argv, *launch.env.values()])
    assert not any(b"sk-test" in path.read_bytes() for path in folder.root.rglob("*.json*"))


def test_a_provider_that_was_added_again_takes_its_own_place(
    database: Database, home: Home, training: TrainingJob
) -> None:
    with database.transaction() as session:
        before = jobs.one(session, training.id).params["provider"]
        outside.remove_engine(session, before, by=ADA)
    with pytest.raises(ProviderGone):
        kind().work("prepare", context_of(database, home, training.id))
    with database.transaction() as session:
        again = outside.add_provider(session, URL, model="small-1", by=ADA).id
    kind().work("prepare", context_of(database, home, training.id))
    with database.reading() as session:
        view = jobs.view(jobs.one(session, training.id))
    assert view.params["provider"] == again != before
    assert again in kind().launch(view, JobFolder.of(home, training.id)).env["GOLDSMITH_PROVIDER_KEY_FILE"]


def test_rows_that_cannot_be_sent_are_named_and_none_at_all_is_a_failure(
    database: Database, home: Home, training: TrainingJob
) -> None:
    with database.transaction() as session:
        for row in session.query(TrainingSetRow).filter_by(side="learn"):
            row.messages = [{"role": "assistant", "content": "hello"}]
    with pytest.raises(JobFailed, match="no message from the user") as raised:
        kind().work("prepare", context_of(database, home, training.id))
    assert raised.value.kind == "nothing_to_learn"


def test_a_provider_is_no_model_of_this_machine_and_the_other_way_round(
    database: Database, training: TrainingJob, workshop: Workshop
) -> None:
    with database.transaction() as session:
        with pytest.raises(ModelAtProvider, match="cannot learn on this machine"):
            service.start(session, TrainRequest(training.base_model_id, "fake"), workshop=workshop, by=ADA)
        with pytest.raises(ProviderNotFound):
            service.start(session, TrainRequest("tiny", "openai"), workshop=workshop, by=ADA)
        again = TrainRequest(training.base_model_id, "openai")
        assert service.start(session, again, workshop=workshop, by=ADA).base_model_id == training.base_model_id


def test_what_only_this_machine_can_is_refused(database: Database, training: TrainingJob, workshop: Workshop) -> None:
    with database.transaction() as session:
        found = session.get_one(TrainingJob, training.id)
        found.current_step = 3
        with pytest.raises(NothingToKeep, match="provider decides"):
            service.keep(session, found)
        with pytest.raises(NotRepeatable, match="its price again"):
            repeating.again(session, found, workshop=workshop, by=ADA)
        assert serve.page(session, domain=ADA.domain)
