"""Puts the pages of models together from what the steps' queries find. Used by the handlers only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fastapi import Request
from pydantic import Field
from sqlalchemy import orm

from goldsmith.compare import queries as compare
from goldsmith.compare.tables import ModelComparison
from goldsmith.data import queries as data
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.states import ACTIVE, JobState
from goldsmith.jobs.tables import Job
from goldsmith.models import queries, service
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.models.types import AT_PROVIDER, BUILTINS
from goldsmith.people.types import Person
from goldsmith.run import queries as runs
from goldsmith.serve import elsewhere
from goldsmith.serve import history as serve_history
from goldsmith.serve import queries as serve
from goldsmith.serve.errors import ReceiptNotFound
from goldsmith.serve.merged import service as merging
from goldsmith.serve.queries import ActiveModel
from goldsmith.serve.tables import Receipt
from goldsmith.serve.types import DEFAULT_ALIAS
from goldsmith.stars import queries as stars
from goldsmith.stars.tables import TrainingSet
from goldsmith.storage import clock
from goldsmith.storage.files import Home
from goldsmith.web import alias_words, needs
from goldsmith.web.format import counted, moment
from goldsmith.web.forms import FormField, FormModel, fields_of
from goldsmith.web.job_lines import job_line
from goldsmith.web.models import views
from goldsmith.web.models.merged_views import merged_view
from goldsmith.web.models.views import BasePage, Link, ModelPage, ModelsPage
from goldsmith.web.resting import rests

NUM_HISTORY = 20
NUM_COMPARISONS = 10
NUM_JOBS = 20
SHOWN = frozenset(state.value for state in (JobState.QUEUED, *ACTIVE, JobState.PAUSED, JobState.FAILED))
"""States of jobs that bring a model in which somebody wants to see them here."""


class ImportForm(FormModel):
    """A model that lies on this machine."""

    path: str = Field(min_length=1, max_length=4096, title="Where it lies")
    """A folder with safetensors weights, config.json and tokenizer.json, or one GGUF file."""
    name: str = Field(min_length=1, max_length=255, title="What it shall be called")
    """Your own word for it, without slashes."""


class HubForm(FormModel):
    """A model on a model hub."""

    hub_id: str = Field(min_length=3, max_length=400, title="Which one")
    """The name in the address of the model's page, of the form ORG/NAME; the whole address will do too."""
    name: str | None = Field(None, max_length=255, title="What it shall be called")
    """Left empty, it is called as on the hub."""


@dataclass(frozen=True)
class Returned:
    """A form that came back because it could not be used."""

    path: tuple[FormField, ...] | None = None
    hub: tuple[FormField, ...] | None = None


def models_page(
    session: orm.Session, person: Person, home: Home, roots: Sequence[Path], returned: Returned | None = None
) -> ModelsPage:
    """The list, and the ways in which a base model is brought."""
    live, returned = _live(session, person.domain), returned or Returned()
    needed, at_rest = needs.for_training(session, home, domain=person.domain), rests(session, domain=person.domain)
    engines = serve.page(session, domain=person.domain)
    return ModelsPage(
        title="Models",
        tuned=tuple(
            views.tuned_line(row, live.get(row.id)) for row in queries.all_tuned(session, domain=person.domain)
        ),
        bases=tuple(views.base_line(row, live.get(row.id)) for row in queries.bases(session, domain=person.domain)),
        engines=tuple(views.engine_card(row, at_rest.get(row.id)) for row in engines),
        needs=needed,
        getting=tuple(views.getting_line(job) for job in _getting(session, person.domain)),
        builtins=() if needs.has_model(needed) else _builtins(session, person.domain),
        fields=returned.path or fields_of(ImportForm),
        hub_fields=returned.hub or fields_of(HubForm),
        roots=tuple(str(root) for root in roots),
        can_train=bool(stars.training_sets(session, domain=person.domain, limit=1)),
    )


def model_page(request: Request, session: orm.Session, row: FineTunedModel) -> ModelPage:
    """One fine-tuned model."""
    item = _live(session, row.domain).get(row.id)
    name_there = (elsewhere.name_of(session, row.id) or "") if queries.is_at_provider(session, row) else ""
    receipt = _receipt(session, row.id)
    comparisons = compare.page(session, domain=row.domain, model_id=row.id, limit=NUM_COMPARISONS)
    judged = next((found for found in comparisons if found.verdict), None)
    arm = views.arm_of(compare.arms(session, judged.id)) if judged is not None else None
    prove_job = item.deployment.prove_job_id if item is not None else None
    proving = jobs.one(session, prove_job) if prove_job else None
    names = serve.model_names(session)
    history = serve.history(session, domain=row.domain, model_id=row.id, limit=NUM_HISTORY)
    return ModelPage(
        title=row.name,
        id=row.id,
        lead=f"Fine-tuned from {row.base_model} on {counted(row.training_sample_count, 'gold star')}.",
        live=views.live_of(item, receipt, _before(session, row.domain, names)),
        merged=merged_view(merging.look(session, row)) if not name_there else None,
        name_there=name_there,
        proving=job_line(proving) if proving is not None and not JobState(proving.state).is_over else None,
        receipt=views.receipt_view(receipt, item) if receipt is not None else None,
        metrics=views.metrics_of(row, arm, _measurers(row, comparisons)),
        address=f"{request.base_url}v1",
        lineage=_lineage(session, row),
        comparisons=tuple(_comparison_link(found) for found in comparisons),
        history=tuple(views.history_line(entry, names) for entry in history),
    )


def base_page(request: Request, session: orm.Session, row: BaseModel) -> BasePage:
    """One base model."""
    live = _live(session, row.domain)
    item, receipt = live.get(row.id), _receipt(session, row.id)
    names = serve.model_names(session)
    children = [tuned for tuned in queries.all_tuned(session, domain=row.domain) if tuned.base_model_id == row.id]
    history = serve.history(session, domain=row.domain, model_id=row.id, limit=NUM_HISTORY)
    return BasePage(
        title=row.name,
        id=row.id,
        lead=_lead(row),
        live=views.live_of(item, receipt, _before(session, row.domain, names)),
        receipt=views.receipt_view(receipt, item) if receipt is not None else None,
        speed=_speed(session, row),
        facts=views.base_facts(row),
        children=tuple(views.tuned_line(child, live.get(child.id)) for child in children),
        address=f"{request.base_url}v1",
        history=tuple(views.history_line(entry, names) for entry in history),
    )


def _lead(row: BaseModel) -> str:
    if row.source == AT_PROVIDER:
        return "A provider's model. It is trained there, and asked there; none of its files is on this machine."
    size = views.parameters(row.num_parameters)
    if row.merged_from is not None:
        return f"A fine-tuned model, merged: {size}. It answers at the speed of a base model, and never changes."
    return f"A base model: {size}. Trainings start from it and leave it as it is."


def _speed(session: orm.Session, row: BaseModel) -> str:
    if row.merged_from is None:
        return ""
    found = merging.look(session, queries.tuned(session, row.merged_from, domain=row.domain)).speed
    return str((found or {}).get("sentence", ""))


def _builtins(session: orm.Session, domain: str) -> tuple[views.BuiltinLine, ...]:
    """What comes with Goldsmith and is not here; the first model of all stands among the needs."""
    if not queries.bases(session, domain=domain):
        return ()
    missing = [one for one in BUILTINS.values() if queries.base_called(session, one.name, domain=domain) is None]
    return tuple(views.builtin_line(one) for one in missing)


def _getting(session: orm.Session, domain: str) -> list[Job]:
    """The newest job for each name that is at work, waits for somebody, or failed within a day."""
    newest: dict[str, Job] = {}
    for kind in service.KINDS:
        for job in jobs.page(session, domain=domain, kind=kind, limit=NUM_JOBS):
            known = newest.setdefault(str(job.params["name"]).lower(), job)
            if job.id > known.id:
                newest[str(job.params["name"]).lower()] = job
    since = clock.now() - timedelta(days=1)
    return [
        job
        for job in sorted(newest.values(), key=lambda job: job.id, reverse=True)
        if job.state in SHOWN and (job.state != JobState.FAILED.value or (job.finished_at or since) > since)
    ]


def _live(session: orm.Session, domain: str) -> dict[str, ActiveModel]:
    """Models that should be or are on an engine; of several engines a wanted one."""
    found = sorted(serve.active(session, domain=domain), key=lambda item: item.deployment.is_wanted)
    return {item.deployment.model_id: item for item in found}


def _receipt(session: orm.Session, model_id: str) -> Receipt | None:
    try:
        return serve.receipt(session, model_id)
    except ReceiptNotFound:
        return None


def _before(session: orm.Session, domain: str, names: dict[str, str]) -> str:
    """What was the default before."""
    before = serve_history.before(session, DEFAULT_ALIAS, domain=domain)
    return alias_words.shares(before.parts, names) if before is not None else ""


def _measurers(row: FineTunedModel, comparisons: Sequence[ModelComparison]) -> dict[str, tuple[str, str]]:
    """What may have measured, in words and with its page."""
    known = {row.training_job_id or "": ("training", f"/training/{row.training_job_id}")}
    known |= {found.job_id or "": ("comparison", f"/model-comparison/{found.id}") for found in comparisons}
    for measured in row.measured_at.values():
        known.setdefault(str(measured.get("by", "")), ("receipt", "#receipt"))
    return known


def _lineage(session: orm.Session, row: FineTunedModel) -> tuple[Link, ...]:
    """From the rows to the model, each with its page."""
    links = []
    if row.training_set_id is not None:
        training_set = stars.training_set(session, row.training_set_id, domain=row.domain)
        links += [*_rows_link(session, training_set), _stars_link(training_set)]
    if row.training_job_id is not None:
        job = jobs.one(session, row.training_job_id)
        fact = f"{job.state}, asked for at {moment(job.created_at)}"
        links.append(Link("curve", "Training", f"/training/{job.id}", fact))
    base = queries.base(session, row.base_model_id, domain=row.domain)
    links.append(Link("box", base.name, f"/models/{base.id}", "the base model, as it was"))
    return (*links, Link("box", row.name, None, "this model"))


def _rows_link(session: orm.Session, training_set: TrainingSet) -> list[Link]:
    first = next(iter(stars.training_set_rows(session, training_set.id, "learn", limit=1)), None)
    if first is None:
        return []
    run = runs.one(session, runs.answer(session, first.answer_id).run_id)
    links = []
    if run.dataset_version_id is not None:
        version = data.version(session, run.dataset_version_id, must_be_complete=False)
        fact = f"version {version.number}, {counted(version.num_rows, 'row')}"
        links.append(Link("rows", "Data", f"/data/{version.dataset_id}", fact))
    return [*links, Link("play", run.name, f"/runs/{run.id}", "the run whose answers were starred")]


def _stars_link(training_set: TrainingSet) -> Link:
    fact = f"{training_set.num_learn:,} to learn, {training_set.num_exam:,} kept back as exam"
    return Link("star", training_set.name, f"/training-sets/{training_set.id}", fact)


def _comparison_link(found: ModelComparison) -> Link:
    verdict = str(found.verdict["sentence"]) if found.verdict else found.status
    words = f"Comparison of {moment(found.created_at)}"
    return Link("compare", words, f"/model-comparison/{found.id}", verdict)
