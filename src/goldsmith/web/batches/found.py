"""Gathers from the queries of several steps what a page of batches shows."""

import json
from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request
from sqlalchemy import orm

from goldsmith.data import service as data
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.costs import Cost
from goldsmith.jobs.states import TRANSITIONS, JobState
from goldsmith.jobs.tables import Job
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.run.batches import previewing, queries
from goldsmith.run.batches.errors import BatchIsOver
from goldsmith.run.batches.naming import is_provider
from goldsmith.run.batches.previewing import BatchLook, NamedModel
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import ASK_JOB, END_JOB, BatchStatus, Counts
from goldsmith.serve import queries as serve
from goldsmith.storage.files import Home
from goldsmith.web.batches.forms import BatchForm
from goldsmith.web.batches.views import (
    ASKS,
    WINDOWS,
    AskedModel,
    BatchesPage,
    BatchPage,
    BatchPreviewPage,
    ModelLine,
    NewBatchPage,
    SampleLine,
    about,
    batch_line,
    fault_sentences,
    progress_facts,
    seconds_left,
)
from goldsmith.web.cost_facts import cost_facts
from goldsmith.web.forms import FormField, fields_of
from goldsmith.web.job_lines import job_line
from goldsmith.web.listing import Head, Pager, with_query

PAGE_SIZE = 50
_HEADS = (Head("Batch"), Head("State"), Head("Requests", is_number=True), Head("Sent by"), Head("Sent"))
_MODEL_HEADS = (Head("Model"), Head("Requests", is_number=True), Head("That is"))
_SAMPLE_HEADS = (Head("custom_id"), Head("Model"), Head("Asks"))
_ASKED_HEADS = (Head("Model"), Head("Answered", is_number=True), Head("Failed", is_number=True))


def batches_page(request: Request, session: orm.Session, person: Person, before: str | None) -> BatchesPage:
    """The list."""
    found = queries.page(session, domain=person.domain, before=before, limit=PAGE_SIZE + 1)
    batches = found[:PAGE_SIZE]
    counts = queries.counts_of(session, batches)
    names = _model_names(session, person.domain)
    more = with_query(request, before=batches[-1].id) if len(found) > PAGE_SIZE else None
    back = with_query(request, before=None) if before else None
    return BatchesPage(
        title="Batches",
        batches=tuple(
            batch_line(
                batch,
                counts[batch.id],
                _job(session, batch),
                models=_said(batch.models, names),
                who=_who(session, batch),
            )
            for batch in batches
        ),
        heads=_HEADS,
        pager=Pager(f"{len(batches)} shown, newest first", back, more),
        address=with_query(request),
    )


def new_page(session: orm.Session) -> NewBatchPage:
    """Choose a file; the example names a model that is here, where there is one."""
    name = next(iter(serve.model_names(session).values()), "default")
    messages = [{"role": "user", "content": "My card is gone."}]
    line = {
        "custom_id": "row-1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": name, "messages": messages},
    }
    return NewBatchPage(title="Send a file of requests", example=json.dumps(line))


def preview_page(
    session: orm.Session,
    home: Home,
    person: Person,
    *,
    sha256: str,
    filename: str,
    fields: tuple[FormField, ...] = (),
) -> BatchPreviewPage:
    """What the file would ask. Raises UploadNotFound."""
    upload = data.kept_upload(home, sha256, filename)
    look = previewing.preview(session, data.path_of(home, upload), domain=person.domain)
    names = _model_names(session, person.domain)
    values = {"upload": sha256, "filename": filename, "endpoint": look.endpoint, "window": "24h"}
    return BatchPreviewPage(
        title=filename,
        facts=_look_facts(look),
        models=tuple(ModelLine(each.name, each.num_requests, _means(each, names)) for each in look.models),
        samples=tuple(SampleLine(each.custom_id, each.model, each.asks) for each in look.samples),
        faults=fault_sentences(look.faults),
        is_whole=look.is_whole,
        fields=_with_windows(fields or fields_of(BatchForm, values)),
        model_heads=_MODEL_HEADS,
        sample_heads=_SAMPLE_HEADS,
    )


def batch_page(session: orm.Session, batch: Batch) -> BatchPage:
    """One batch."""
    counts = queries.counts(session, batch)
    names = _model_names(session, batch.domain)
    job = _job(session, batch)
    who = _who(session, batch)
    asked = [each for each in jobs.all_of(session, batch.id) if each.kind == ASK_JOB]
    cost = Cost.of_result(asked[0].result if asked else None)
    return BatchPage(
        title=batch.input_name,
        line=batch_line(batch, counts, job, models=_said(batch.models, names), who=who),
        facts=(*progress_facts(counts, is_over=batch.is_over), *cost_facts(cost)),
        about=about(batch, who=who),
        faults=fault_sentences(batch.faults),
        frequent_error=queries.most_frequent_error(session, batch.id) if counts.num_failed else None,
        models=_asked(session, batch, names),
        model_heads=_ASKED_HEADS,
        jobs=tuple(job_line(each) for each in jobs.all_of(session, batch.id)),
        can_cancel=not batch.is_over
        and batch.status is not BatchStatus.CANCELLING
        and (job is None or job.kind != END_JOB),
        can_go_on=job_to_go_on(session, batch, counts) is not None,
        seconds_left=seconds_left(batch, counts) if job is not None and JobState(job.state).is_active else None,
    )


def job_to_go_on(session: orm.Session, batch: Batch, counts: Counts) -> Job | None:
    """The job that goes on when it is queued again: of a batch that failed with requests still open, or is paused."""
    for job in jobs.all_of(session, batch.id):
        state = JobState(job.state)
        if job.kind == END_JOB or JobState.QUEUED not in TRANSITIONS[state] or not state.is_over:
            continue
        is_failed = batch.failed_at is not None and counts.num_open > 0 and state is JobState.FAILED
        return job if is_failed or state is JobState.PAUSED else None
    return None


def resumed(session: orm.Session, batch: Batch) -> Job:
    """The same, for who wants it to go on. Raises BatchIsOver."""
    job = job_to_go_on(session, batch, queries.counts(session, batch))
    if job is None:
        raise BatchIsOver(f"The batch {batch.id} is {batch.status.value}; nothing of it can go on.")
    return job


def _asked(session: orm.Session, batch: Batch, names: dict[str, str]) -> tuple[AskedModel, ...]:
    found = queries.counts_by_model(session, batch.id)
    return tuple(
        AskedModel(
            names.get(model_id, model_id),
            "/settings#engines" if is_provider(model_id) else f"/models/{model_id}",
            found.get(model_id, Counts(0)),
        )
        for model_id in batch.models
    )


def _look_facts(look: BatchLook) -> tuple[tuple[str, str, str], ...]:
    more = "" if look.is_whole else "the first ones; the rest is checked when it starts"
    return (
        ("Requests", f"{look.num_requests:,}", more),
        ("Models", f"{len(look.models):,}", "named by them"),
        ("Asks for", ASKS.get(look.endpoint, look.endpoint), look.endpoint),
    )


def _means(named: NamedModel, names: dict[str, str]) -> str:
    if not named.model_ids:
        return "not here" if named.name else "nothing: no model is the default"
    return _said(named.model_ids, names)


def _said(model_ids: Sequence[object], names: dict[str, str]) -> str:
    said = [names.get(str(model_id), str(model_id)) for model_id in model_ids]
    return ", ".join(said) if len(said) <= 3 else f"{', '.join(said[:2])} and {len(said) - 2} more"


def _with_windows(fields: Sequence[FormField]) -> tuple[FormField, ...]:
    return tuple(replace(each, options=WINDOWS) if each.name == "window" else each for each in fields)


def _model_names(session: orm.Session, domain: str) -> dict[str, str]:
    engines = serve.page(session, domain=domain)
    return serve.model_names(session) | {each.id: each.provider_model or each.name for each in engines}


def _job(session: orm.Session, batch: Batch) -> Job | None:
    return jobs.one(session, batch.job_id) if batch.job_id else None


def _who(session: orm.Session, batch: Batch) -> str:
    person = people.one(session, batch.created_by)
    return person.name if person is not None else batch.created_by
