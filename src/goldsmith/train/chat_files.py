"""Uploaded conversations as a training set: what the request writes, and what the worker does before the training.

The request queues the import of each file, nothing more. The worker waits for it, refuses a file with a bad line,
stars the answers and exports them. Each part is found again when it is there already, so a death in between costs only
what was under way, and the same file is read once.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from sqlalchemy.orm import Session

from goldsmith.data import queries as data
from goldsmith.data import service as data_service
from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.data.types import ImportRequest
from goldsmith.jobs.errors import JobFailed
from goldsmith.jobs.kinds import WorkContext
from goldsmith.people.types import Person
from goldsmith.run.messages import CHAT_COLUMN, question_of_chat
from goldsmith.stars import export as exporting
from goldsmith.stars.jobs import author_of, star_answers, wait_for_import
from goldsmith.stars.tables import TrainingSet
from goldsmith.stars.types import ExportRequest
from goldsmith.train.recipe import ChatFile, ChatFiles
from goldsmith.train.tables import TrainingJob

LEARN, EXAM = "training_file", "validation_file"
"""What a job calls its files, as OpenAI does."""
ANSWER_COLUMN = "answer"
_HINT = "Mend the line that is named, upload the file again, and start another training with it."


def begin(session: Session, files: ChatFiles, *, by: Person) -> dict[str, Any]:
    """Queue the imports; returns what the training's job has to know."""
    known = {LEARN: _begin_one(session, files.learn, by)}
    if files.exam is not None:
        known[EXAM] = _begin_one(session, files.exam, by)
    return known


def _begin_one(session: Session, file: ChatFile, by: Person) -> dict[str, str]:
    version = data.read_before(session, file.upload.sha256, answer_column=ANSWER_COLUMN, domain=by.domain)
    if version is None or CHAT_COLUMN not in version.columns:
        name = PurePath(file.upload.filename).stem
        request = ImportRequest(file.upload, name, answer_column=ANSWER_COLUMN, format="chat")
        version, _ = data_service.start_import(session, request, by=by)
    return {"id": file.id, "dataset_version_id": version.id}


def make_set(context: WorkContext) -> TrainingSet | None:
    """The training set of the job's files, written down with the training; None when asked to stop before.

    Raises JobFailed, which names the file and its line.
    """
    runs: dict[str, str] = {}
    for param in (LEARN, EXAM):
        file = context.job.params.get(param)
        if file is not None:
            run_id = _star(context, param, file["dataset_version_id"])
            if run_id is None:
                return None
            runs[param] = run_id
    with context.transaction() as session:
        return _export(session, context, runs)


def _star(context: WorkContext, param: str, version_id: str) -> str | None:
    try:
        if not wait_for_import(context, version_id):
            return None
    except JobFailed as error:
        raise JobFailed(error.message, hint=_HINT, kind=f"invalid_{param}") from error
    fault = _fault_of(context, version_id)
    if fault is not None:
        raise JobFailed(fault, hint=_HINT, kind=f"invalid_{param}")
    run_id = star_answers(context, version_id)
    return None if context.should_stop() else run_id


def _export(session: Session, context: WorkContext, runs: Mapping[str, str]) -> TrainingSet:
    training = session.get_one(TrainingJob, context.job.id)
    request = ExportRequest(training.name, run_id=runs[LEARN], exam_run_id=runs.get(EXAM))
    made = exporting.export(session, context.home, request, by=author_of(session, context))
    if made.num_learn == 0:
        message = "Every conversation of the file is held back as an exam already, so there is nothing to learn."
        raise JobFailed(message, hint="Train with other conversations.", kind=f"invalid_{LEARN}")
    training.training_set_id = made.id
    training.dataset_path = f"{made.folder}/learn.jsonl"
    training.sample_count = made.num_learn
    session.flush()
    return made


def _fault_of(context: WorkContext, version_id: str) -> str | None:
    """What is wrong with the first line that cannot be learned from."""
    with context.database.reading() as session:
        version = data.version(session, version_id)
        if version.num_bad_rows:
            return f"{version.num_bad_rows:,} of its lines cannot be used. {version.bad_rows[0]['reason']}"
        for row in _rows(session, version):
            fault = _fault_of_row(row)
            if fault is not None:
                return f"Conversation {row.position:,} of {version.source_name} {fault}"
    return None


def _rows(session: Session, version: DatasetVersion) -> Iterator[Row]:
    after = 0
    while found := data.rows(session, version.id, after=after):
        yield from found
        after = found[-1].position
        session.expunge_all()


def _fault_of_row(row: Row) -> str | None:
    chat = row.content.get(CHAT_COLUMN, "")
    if question_of_chat(chat) is None:
        return "has a message that is not plain text of system, user or assistant."
    if json.loads(chat)[-1]["role"] != "assistant":
        return "does not end with a message of the assistant, so there is nothing to learn."
    if not str(row.content.get(ANSWER_COLUMN, "")).strip():
        return "ends with an empty message of the assistant, so there is nothing to learn."
    return None
