"""A database with a person, a dataset of three rows, a prompt and a base model on an engine that is ready."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

import goldsmith.compare.tables
import goldsmith.stars.tables
import goldsmith.train.tables  # noqa: F401 - every table is made
from goldsmith.data.tables import Dataset, DatasetVersion, Row
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs import queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.jobs.kinds import WorkContext
from goldsmith.models.tables import BaseModel
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run import prompts
from goldsmith.run.tables import PromptVersion
from goldsmith.run.types import PromptDraft
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.testing import FakeEngine

BASE_ID = "bm_1"


@pytest.fixture
def ana(database: Database) -> Person:
    with database.transaction() as session:
        return people.known_by_name(session, "Ana")


MakeVersion = Callable[..., DatasetVersion]


@pytest.fixture
def make_version(database: Database, ana: Person) -> MakeVersion:
    def make(rows: list[Mapping[str, str]], answer_column: str | None = None) -> DatasetVersion:
        owned: dict[str, Any] = {"domain": ana.domain, "created_by": ana.id}
        with database.transaction() as session:
            dataset = Dataset(id=new_id(Prefix.DATASET), name="messages", **owned)
            session.add(dataset)
            session.flush()
            version = DatasetVersion(
                id=new_id(Prefix.DATASET_VERSION),
                dataset_id=dataset.id,
                number=1,
                is_complete=True,
                columns=list(rows[0]),
                answer_column=answer_column,
                num_rows=len(rows),
                bad_rows=[],
                source_name="x.csv",
                source_sha256="0" * 64,
                **owned,
            )
            session.add(version)
            session.flush()
            for position, content in enumerate(rows, start=1):
                row = Row(
                    id=new_id(Prefix.ROW),
                    dataset_version_id=version.id,
                    position=position,
                    content=dict(content),
                    content_hash=f"{position:064}",
                )
                session.add(row)
        return version

    return make


@pytest.fixture
def version(make_version: MakeVersion) -> DatasetVersion:
    return make_version([{"message": f"message {number}", "label": f"l{number}"} for number in (1, 2, 3)])


@pytest.fixture
def prompt(database: Database, ana: Person) -> PromptVersion:
    with database.transaction() as session:
        return prompts.save_prompt(session, "topics", PromptDraft("Topic of: {{message}}"), by=ana)


@pytest.fixture
def base_model(database: Database, ana: Person) -> BaseModel:
    model = BaseModel(
        id=BASE_ID,
        name="tiny",
        source="builtin",
        folder="models/tiny",
        content_hash="0" * 64,
        size_bytes=1,
        num_parameters=1,
        context_length=2048,
        template_hash="0" * 64,
        end_marker="<end>",
        domain=ana.domain,
        created_by=ana.id,
    )
    with database.transaction() as session:
        session.add(model)
    return model


@pytest.fixture
def point_engine(database: Database, ana: Person, base_model: BaseModel) -> Callable[[str], None]:
    """Say in the database that the base model is live at a URL."""

    def point(url: str) -> None:
        owned: dict[str, Any] = {"domain": ana.domain, "created_by": ana.id}
        with database.transaction() as session:
            engine = session.get(Engine, "eng_1")
            if engine is None:
                engine = Engine(id="eng_1", name="ours", kind="attached", base_model_id=base_model.id, **owned)
                session.add(engine)
                session.flush()
                session.add(Deployment(id="dep_1", model_id=base_model.id, engine_id="eng_1", **owned))
            engine.url, engine.state, engine.is_wanted = url, "ready", True
            session.flush()
            deployment = session.get_one(Deployment, "dep_1")
            deployment.state, deployment.generation, deployment.is_wanted = "loaded", engine.generation, True

    return point


@pytest.fixture
def context_for(database: Database, home: Home) -> Callable[..., WorkContext]:
    """What a worker hands to a stage; claims the job first, as the supervisor does."""

    def make(job_id: str, should_stop: Callable[[], bool] = lambda: False) -> WorkContext:
        with database.transaction() as session:
            job = job_queries.one(session, job_id)
            claimed = queue.claim(session, machine="here", slot="cpu" if job.needs_slot else None)
            assert claimed is not None
            assert claimed.id == job_id
            view = job_queries.view(claimed)

        def report(progress: float | None, message: str | None) -> None:
            with database.transaction() as session:
                queue.report(session, job_queries.one(session, job_id), progress=progress, message=message)

        folder = JobFolder.of(home, job_id)
        return WorkContext(view, database, home, folder, should_stop, database.transaction, report)

    return make


@pytest.fixture
def engines() -> Iterator[list[FakeEngine]]:
    with ExitStack() as stack:
        yield [stack.enter_context(FakeEngine("bm_1", delay_s=0.005)) for _ in range(2)]


@pytest.fixture
def both(database: Database, base_model: BaseModel, ana: Person, engines: list[FakeEngine]) -> list[FakeEngine]:
    """Both have the base model, as the database says."""
    owned: dict[str, Any] = {"domain": ana.domain, "created_by": ana.id}
    with database.transaction() as session:
        for number, engine in enumerate(engines):
            which = {"id": f"eng_{number}", "name": f"engine {number}", "url": engine.url, "kind": "attached"}
            session.add(Engine(**which, base_model_id=base_model.id, state="ready", **owned))
            session.flush()
            found: dict[str, Any] = {"id": f"dep_{number}", "state": "loaded", "proof": "not_needed"}
            session.add(Deployment(**found, model_id=base_model.id, engine_id=which["id"], **owned))
    return engines
