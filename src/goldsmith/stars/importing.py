"""Good answers that came with a file: a run without a model, its answers starred by whoever imported them.

Works in batches, each of them whole, and goes on where it was. Called by a worker, or in one transaction for few rows.
"""

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from goldsmith.data import queries as data_queries
from goldsmith.data.readers import roles
from goldsmith.data.tables import Dataset, DatasetVersion
from goldsmith.jobs import queue
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.tables import Job
from goldsmith.people.types import Person
from goldsmith.run import prompts
from goldsmith.run import queries as run_queries
from goldsmith.run.answers import write_answers
from goldsmith.run.messages import CHAT_COLUMN, check_variables
from goldsmith.run.tables import Answer, PromptVersion, Run
from goldsmith.run.types import AnswerState, PromptDraft, RunKindName, SentAnswer
from goldsmith.stars.errors import NoAnswerColumn
from goldsmith.stars.service import mark_values
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import MarkKind, MarkState
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id

JOB_KIND = "imported_answers"
ROWS_AT_ONCE = 500


def start(session: Session, dataset_version_id: str, *, prompt_version_id: str | None = None, by: Person) -> Job:
    """Queue the starring of a dataset version's good answers; the file's own import may still be at work."""
    version = data_queries.version(session, dataset_version_id, must_be_complete=False)
    params = {"dataset_version_id": version.id, "prompt_version_id": prompt_version_id}
    title = f"Star the answers of {version.source_name}"
    return queue.add(session, NewJob(JOB_KIND, title, params, subject_id=version.id), by=by)


def import_answers(
    session: Session, dataset_version_id: str, prompt_version_id: str | None = None, *, by: Person
) -> Run:
    """The run of a dataset version's good answers, all starred; made when new. Raises NoAnswerColumn."""
    run = begin(session, dataset_version_id, prompt_version_id, by=by)
    after: int | None = last_position(session, run.id)
    while after is not None:
        after = add_batch(session, run, after=after, by=by)
    return run


def begin(session: Session, dataset_version_id: str, prompt_version_id: str | None, *, by: Person) -> Run:
    """The run, without its answers at first. Raises NoAnswerColumn, PromptVariableUnknown."""
    version = data_queries.version(session, dataset_version_id)
    if version.answer_column is None:
        raise NoAnswerColumn("The dataset does not say which of its columns holds good answers.")
    wording = _wording(session, version, prompt_version_id, by)
    check_variables(wording, version.columns)
    query = select(Run).where(
        Run.domain == by.domain,
        Run.kind == RunKindName.IMPORTED.value,
        Run.dataset_version_id == version.id,
        Run.prompt_version_id == wording.id,
    )
    return session.scalar(query.limit(1)) or _new_run(session, version, wording, by)


def last_position(session: Session, run_id: str) -> int:
    """The last row that is in; 0 before the first."""
    return session.scalar(select(func.max(Answer.position)).where(Answer.run_id == run_id)) or 0


def add_batch(session: Session, run: Run, *, after: int, by: Person) -> int | None:
    """The next rows' answers with their stars; returns the last position, or None at the end."""
    version = data_queries.version(session, run.dataset_version_id or "")
    rows = data_queries.rows(session, version.id, after=after, limit=ROWS_AT_ONCE)
    if not rows:
        num_answers = select(func.count()).select_from(Answer).where(Answer.run_id == run.id)
        session.get_one(Run, run.id).num_rows = session.scalar(num_answers) or 0
        session.flush()
        return None
    answers = [
        SentAnswer(row.id, row.position, AnswerState.ANSWERED, clock.now(), text=text, finish_reason="stop")
        for row in rows
        if (text := str(row.content.get(version.answer_column or "", ""))).strip()
    ]
    wording = run_queries.prompt_version(session, run.prompt_version_id)
    write_answers(session, run.id, answers, schema=wording.answer_schema)
    written = run_queries.by_rows(session, run.id, [answer.row_id for answer in answers])
    star = MarkState(is_star=True)
    marks = [mark_values(answer, MarkKind.star, star, by=by, via="import") for answer in written.values()]
    if marks:
        session.execute(insert(Mark), marks)
    return rows[-1].position


def _wording(session: Session, version: DatasetVersion, prompt_version_id: str | None, by: Person) -> PromptVersion:
    if prompt_version_id is not None:
        return run_queries.prompt_version(session, prompt_version_id, domain=by.domain)
    draft = _default_wording(version)
    return prompts.save_prompt(session, f"As imported: {draft.template}", draft, by=by)


def _default_wording(version: DatasetVersion) -> PromptDraft:
    """A conversation as it is; else the column that asks, with the column of system texts where there is one."""
    columns = [column for column in version.columns if column != version.answer_column]
    if CHAT_COLUMN in columns and "question" in columns:
        return PromptDraft(f"{{{{{CHAT_COLUMN}}}}}")
    guessed = roles.guess(columns, ())
    question = guessed.question or (columns[0] if len(columns) == 1 else None)
    if question is None:
        raise NoAnswerColumn(f"It is not clear which column asks: {', '.join(columns) or 'there is no other one'}.")
    system_text = f"{{{{{guessed.system}}}}}" if guessed.system else ""
    return PromptDraft(f"{{{{{question}}}}}", system_text)


def _new_run(session: Session, version: DatasetVersion, wording: PromptVersion, by: Person) -> Run:
    dataset = session.get_one(Dataset, version.dataset_id)
    run = Run(
        id=new_id(Prefix.RUN),
        name=f"Answers that came with {dataset.name}"[:255],
        kind=RunKindName.IMPORTED.value,
        dataset_version_id=version.id,
        prompt_version_id=wording.id,
        options={},
        num_rows=version.num_rows,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(run)
    session.flush()
    return run
