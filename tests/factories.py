"""Makers of things for tests, sensible by default: name what the test is about, leave the rest.

Each writes rows in the session that it is given, as the step's own service would, and returns them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from goldsmith.data.tables import Dataset, DatasetVersion, Row
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.tables import Job
from goldsmith.models.tables import BaseModel
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Prompt, PromptVersion, Run
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.ids import Prefix, new_id

MakeDatabase = Callable[..., Database]
HASH = "0" * 64


def make_person(session: Session, name: str = "Ada", *, domain: str = "local") -> Person:
    return people.known_by_name(session, name, domain=domain)


def make_job(
    session: Session,
    *,
    by: Person | None = None,
    kind: str = "nothing",
    needs_slot: bool = False,
    params: Mapping[str, Any] | None = None,
) -> Job:
    new = NewJob(kind, f"A job of the kind {kind}", params or {}, needs_slot=needs_slot)
    return queue.add(session, new, by=by or make_person(session))


def make_dataset_version(
    session: Session,
    contents: Sequence[Mapping[str, str]] = ({"question": "one?"}, {"question": "two?"}),
    *,
    by: Person | None = None,
    name: str = "questions",
) -> DatasetVersion:
    """A dataset with one complete version that has these rows."""
    by = by or make_person(session)
    dataset = Dataset(id=new_id(Prefix.DATASET), name=name, domain=by.domain, created_by=by.id)
    session.add(dataset)
    session.flush()
    version = DatasetVersion(
        id=new_id(Prefix.DATASET_VERSION),
        dataset_id=dataset.id,
        number=1,
        is_complete=True,
        columns=list(contents[0]) if contents else [],
        num_rows=len(contents),
        bad_rows=[],
        source_name=f"{name}.csv",
        source_sha256=HASH,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(version)
    session.flush()
    for position, content in enumerate(contents, start=1):
        row_id = new_id(Prefix.ROW)
        place = {"dataset_version_id": version.id, "position": position}
        session.add(Row(id=row_id, content=dict(content), content_hash=HASH, **place))
    session.flush()
    return version


def make_prompt_version(
    session: Session, template: str = "{{question}}", *, by: Person | None = None, system_text: str = ""
) -> PromptVersion:
    by = by or make_person(session)
    prompt = Prompt(id=new_id(Prefix.PROMPT), name="a prompt", domain=by.domain, created_by=by.id)
    session.add(prompt)
    session.flush()
    version = PromptVersion(
        id=new_id(Prefix.PROMPT_VERSION),
        prompt_id=prompt.id,
        number=1,
        system_text=system_text,
        template=template,
        content_hash=HASH,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(version)
    session.flush()
    return version


def make_base_model(
    session: Session, *, by: Person | None = None, name: str = "tiny", source: str = "folder", hub_id: str | None = None
) -> BaseModel:
    by = by or make_person(session)
    model = BaseModel(
        id=new_id(Prefix.BASE_MODEL),
        name=name,
        source=source,
        hub_id=hub_id,
        folder=f"models/base/{name}",
        content_hash=HASH,
        size_bytes=1000,
        num_parameters=100,
        context_length=512,
        template_hash=HASH,
        end_marker="<|im_end|>",
        domain=by.domain,
        created_by=by.id,
    )
    session.add(model)
    session.flush()
    return model


def make_run(
    session: Session,
    version: DatasetVersion,
    prompt: PromptVersion,
    *,
    by: Person | None = None,
    model: BaseModel | None = None,
) -> Run:
    by = by or make_person(session)
    run = Run(
        id=new_id(Prefix.RUN),
        name="a run",
        kind="model",
        dataset_version_id=version.id,
        prompt_version_id=prompt.id,
        model_id=model.id if model else None,
        options={},
        num_rows=version.num_rows,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(run)
    session.flush()
    return run


def make_answer(session: Session, run: Run, row: Row, text: str = "an answer") -> Answer:
    answer = Answer(
        id=new_id(Prefix.ANSWER),
        run_id=run.id,
        row_id=row.id,
        position=row.position,
        state="answered",
        text=text,
        finish_reason="stop",
        at=clock.now(),
    )
    session.add(answer)
    session.flush()
    return answer
