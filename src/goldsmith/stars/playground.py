"""What somebody tried out and has something to say about becomes a real answer, in a run of a kind of its own.

So it has its provenance, and goes into training sets like any other star. What nobody marks is not kept. The questions
are rows of a dataset that is in no list, because it has no end: its one version stays open.
"""

import hashlib
from dataclasses import dataclass

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from goldsmith.data.tables import Dataset, DatasetVersion, Row
from goldsmith.models import queries as model_queries
from goldsmith.people.types import Person
from goldsmith.run import prompts
from goldsmith.run import queries as run_queries
from goldsmith.run.answers import write_answers
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import AnswerState, PromptDraft, RunKindName, SentAnswer
from goldsmith.serve import queries as serve_queries
from goldsmith.serve.errors import EngineNotFound
from goldsmith.serve.types import EngineKind
from goldsmith.stars import service
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import MarkRequest
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id
from goldsmith.storage.text import storable

NAME = "From the playground"
SYSTEM, QUESTION = "system", "question"
WORDING = PromptDraft(f"{{{{{QUESTION}}}}}", f"{{{{{SYSTEM}}}}}")
"""What is asked is all in the row, so that one wording stands for everything that is tried out."""
VIA = "playground"
_NO_FILE = "0" * 64


@dataclass(frozen=True)
class Tried:
    """A question, and what one model wrote."""

    question: str
    model_id: str
    """Which model answered, whatever name it was asked by: a base model, a fine-tuned one, a provider's engine."""
    text: str
    system_text: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    duration_ms: float | None = None
    finish_reason: str | None = None
    error: str | None = None
    """Why the answer is not whole; then the text as written gets no star."""
    engine_id: str | None = None


def say(session: Session, tried: Tried, request: MarkRequest, *, by: Person) -> Mark:
    """Keep the answer, unless it is there already, and mark it.

    Raises ModelNotFound, EngineNotFound, MarkNotPossible.
    """
    return service.mark(session, keep(session, tried, by=by).id, request, by=by, via=VIA)


def keep(session: Session, tried: Tried, *, by: Person) -> Answer:
    """The answer with its row and its run; the same one when the same was kept before."""
    run = _run(session, tried, by)
    content = {SYSTEM: storable(tried.system_text), QUESTION: storable(tried.question)}
    row = _row(session, run, content, storable(tried.text))
    known = run_queries.by_rows(session, run.id, [row.id])
    if row.id not in known:
        write_answers(session, run.id, [_sent(tried, row)], schema=None)
        run.num_rows = run_queries.num_answers(session, run.id)
        session.flush()
    return run_queries.by_rows(session, run.id, [row.id])[row.id]


def _sent(tried: Tried, row: Row) -> SentAnswer:
    return SentAnswer(
        row_id=row.id,
        position=row.position,
        state=AnswerState.FAILED if tried.error else AnswerState.ANSWERED,
        at=clock.now(),
        text=storable(tried.text),
        prompt_tokens=tried.prompt_tokens,
        answer_tokens=tried.answer_tokens,
        duration_ms=tried.duration_ms,
        finish_reason=tried.finish_reason,
        error=storable(tried.error) if tried.error else None,
        served_by=tried.engine_id,
        num_tries=1,
    )


def _run(session: Session, tried: Tried, by: Person) -> Run:
    """The organisation's run of this model; made when new."""
    name = _model_name(session, tried.model_id, by)
    kind = RunKindName.PLAYGROUND.value
    found = select(Run).where(Run.domain == by.domain, Run.kind == kind, Run.model_id == tried.model_id)
    run = session.scalar(found.order_by(Run.id).limit(1))
    if run is not None:
        return run
    run = Run(
        id=new_id(Prefix.RUN),
        name=f"{name}, tried in the playground"[:255],
        kind=kind,
        dataset_version_id=_version(session, by).id,
        prompt_version_id=prompts.save_prompt(session, NAME, WORDING, by=by).id,
        model_id=tried.model_id,
        options={},
        num_rows=0,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(run)
    session.flush()
    return run


def _model_name(session: Session, model_id: str, by: Person) -> str:
    if not model_id.startswith(f"{Prefix.ENGINE.value}_"):
        return model_queries.any_model(session, model_id, domain=by.domain).name
    engine = serve_queries.one(session, model_id)
    if engine.domain != by.domain or engine.kind != EngineKind.PROVIDER.value:
        raise EngineNotFound(f"There is no provider {model_id}.")
    return engine.provider_model or engine.name


def _version(session: Session, by: Person) -> DatasetVersion:
    """The open version that holds the organisation's questions: that of any earlier run, else a new one."""
    earlier = select(Run.dataset_version_id).where(Run.domain == by.domain, Run.kind == RunKindName.PLAYGROUND.value)
    version_id = session.scalar(earlier.order_by(Run.id).limit(1))
    if version_id is not None:
        return session.get_one(DatasetVersion, version_id)
    dataset = Dataset(id=new_id(Prefix.DATASET), name=NAME, deleted_at=clock.now(), domain=by.domain, created_by=by.id)
    session.add(dataset)
    session.flush()
    version = DatasetVersion(
        id=new_id(Prefix.DATASET_VERSION),
        dataset_id=dataset.id,
        number=1,
        columns=[SYSTEM, QUESTION],
        bad_rows=[],
        source_name=NAME,
        source_sha256=_NO_FILE,
        domain=by.domain,
        created_by=by.id,
    )
    session.add(version)
    session.flush()
    return version


def _row(session: Session, run: Run, content: dict[str, str], text: str) -> Row:
    """A row with this content for which the run has no answer yet or this very one; else a new one."""
    version = session.get_one(DatasetVersion, run.dataset_version_id, with_for_update=True)
    content_hash = hashlib.sha256(orjson.dumps(content)).hexdigest()
    same = select(Row).where(Row.dataset_version_id == version.id, Row.content_hash == content_hash)
    rows = list(session.scalars(same.order_by(Row.position)))
    answers = run_queries.by_rows(session, run.id, [row.id for row in rows])
    for row in rows:
        if row.id not in answers or answers[row.id].text == text:
            return row
    last = session.scalar(select(func.max(Row.position)).where(Row.dataset_version_id == version.id)) or 0
    row = Row(
        id=new_id(Prefix.ROW),
        dataset_version_id=version.id,
        position=last + 1,
        content=content,
        content_hash=content_hash,
    )
    session.add(row)
    version.num_rows = last + 1
    session.flush()
    return row
