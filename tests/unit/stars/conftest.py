"""A database with people, and a maker of runs whose rows and answers are given."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

import goldsmith.compare.tables
import goldsmith.jobs.tables
import goldsmith.models.tables
import goldsmith.serve.tables
import goldsmith.train.tables  # noqa: F401 - every table is made
from goldsmith.data.tables import Dataset, DatasetVersion, Row
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run import prompts
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import PromptDraft
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.ids import Prefix, new_id

RowAndAnswer = tuple[dict[str, str], str | None]


@pytest.fixture
def ana(database: Database) -> Person:
    with database.transaction() as session:
        return people.known_by_name(session, "Ana")


@pytest.fixture
def ben(database: Database) -> Person:
    with database.transaction() as session:
        return people.known_by_name(session, "Ben")


@pytest.fixture
def make_version(database: Database, ana: Person) -> Callable[..., DatasetVersion]:
    def make(rows: Sequence[dict[str, str]], answer_column: str | None = None) -> DatasetVersion:
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
def make_run(
    database: Database, ana: Person, make_version: Callable[..., DatasetVersion]
) -> Callable[..., tuple[Run, list[Answer]]]:
    """A run over rows; an answer that is None has failed."""

    def make(
        given: Sequence[RowAndAnswer], *, draft: PromptDraft | None = None, answer_column: str | None = None
    ) -> tuple[Run, list[Answer]]:
        version = make_version([content for content, _ in given], answer_column)
        with database.transaction() as session:
            wording = prompts.save_prompt(session, "topics", draft or PromptDraft("Topic of: {{message}}"), by=ana)
            run = Run(
                id=new_id(Prefix.RUN),
                name="first run",
                kind="model",
                dataset_version_id=version.id,
                prompt_version_id=wording.id,
                options={},
                num_rows=len(given),
                domain=ana.domain,
                created_by=ana.id,
            )
            session.add(run)
            session.flush()
            rows = session.query(Row).filter_by(dataset_version_id=version.id).order_by(Row.position).all()
            answers = [
                Answer(
                    id=new_id(Prefix.ANSWER),
                    run_id=run.id,
                    row_id=row.id,
                    position=row.position,
                    state="failed" if text is None else "answered",
                    text=text or "",
                    finish_reason=None if text is None else "stop",
                    duration_ms=float(row.position % 3) + 0.5,
                    answer_tokens=len(text or ""),
                    at=clock.now(),
                )
                for row, (_, text) in zip(rows, given, strict=True)
            ]
            session.add_all(answers)
        return run, answers

    return make
