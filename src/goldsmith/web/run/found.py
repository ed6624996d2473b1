"""Gathers from the queries of several steps what one page of runs shows."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request
from sqlalchemy import orm

from goldsmith.data import queries as data_queries
from goldsmith.data.errors import DatasetNotFound
from goldsmith.data.readers import roles
from goldsmith.data.tables import DatasetVersion
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.costs import Cost
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.models import queries as model_queries
from goldsmith.people.types import Person
from goldsmith.run import queries
from goldsmith.run.downloads import DownloadFormat
from goldsmith.run.messages import variables_of
from goldsmith.run.service import ENGINE_PREFIX
from goldsmith.run.tables import Run
from goldsmith.run.types import READ_KINDS, PromptDraft, PromptPreview, RunKindName
from goldsmith.serve import queries as serve_queries
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import EngineKind
from goldsmith.stars import queries as star_queries
from goldsmith.stars.types import AnswerFilter, AnswerQuery
from goldsmith.web import needs
from goldsmith.web.cost_facts import cost_facts
from goldsmith.web.format import money, number, size
from goldsmith.web.forms import Filled, FormField, Option, fields_of
from goldsmith.web.job_lines import job_line
from goldsmith.web.listing import Head, Pager, chips, with_query
from goldsmith.web.run.fields import text_of
from goldsmith.web.run.form import FOLDED, RunForm, values_of, with_column_errors
from goldsmith.web.run.views import (
    DatasetChoice,
    NewRunPage,
    RunLine,
    RunPage,
    RunsPage,
    answer_line,
    asked_of,
    downloads_of,
    progress_facts,
    run_line,
)
from goldsmith.web.sample import sample
from goldsmith.web.state import WebState

PAGE_SIZE = 50
MAX_DATASETS = 30
_HEADS = (
    Head("Run"),
    Head("State"),
    Head("Answers", is_number=True),
    Head("Gold stars", is_number=True),
    Head("Begun"),
)
_ANSWER_HEADS = (
    Head("Row"),
    Head("Asked"),
    Head("Answer"),
    Head("Time", is_number=True),
    Head("Tokens", is_number=True),
)
_FILTERS = (("", "All"), ("unread", "Not read"), ("starred", "Starred"), ("failed", "Failed"), ("cut_off", "Cut off"))


def runs_page(request: Request, session: orm.Session, person: Person, before: str | None) -> RunsPage:
    """The list."""
    found = queries.page(session, domain=person.domain, kinds=READ_KINDS, before=before, limit=PAGE_SIZE + 1)
    runs = found[:PAGE_SIZE]
    more = with_query(request, before=runs[-1].id) if len(found) > PAGE_SIZE else None
    back = with_query(request, before=None) if before else None
    return RunsPage(
        title="Runs",
        runs=_lines(session, runs, person),
        heads=_HEADS,
        pager=Pager(f"{len(runs)} shown, newest first", back, more),
        address=with_query(request),
        has_data=bool(data_queries.page(session, domain=person.domain, limit=1)),
    )


def new_run_page(
    state: WebState,
    session: orm.Session,
    person: Person,
    *,
    version: DatasetVersion | None,
    fields: tuple[FormField, ...] = (),
    previews: Sequence[PromptPreview] = (),
) -> NewRunPage:
    """The form of a new run; `fields` as they were sent, else as they begin."""
    domain = person.domain
    datasets = data_queries.page(session, domain=domain, limit=MAX_DATASETS)
    chosen = data_queries.one(session, version.dataset_id, domain=domain) if version else None
    models = model_options(session, domain)
    fields = fields or (fields_of(RunForm, _beginning(session, version, domain)) if version else ())
    first = [chosen] if chosen else []
    named = [dataset for dataset in datasets if chosen is None or dataset.id != chosen.id]
    return NewRunPage(
        title="Run a model",
        datasets=tuple(DatasetChoice(each.id, each.name, each is chosen) for each in (*first, *named)),
        dataset=chosen,
        num_rows=version.num_rows if version else 0,
        columns=tuple(str(column) for column in version.columns if column != version.answer_column) if version else (),
        fields=with_models(fields, models),
        folded=FOLDED,
        needs=needs.for_answers(session, state.home, state.offers["machine"], domain=domain),
        has_models=bool(models),
        previews=tuple(previews),
        address=f"/runs/new?dataset={chosen.id}" if chosen else "/runs/new",
    )


def version_for(session: orm.Session, dataset: str | None, person: Person) -> DatasetVersion | None:
    """The newest complete version of the dataset, else of the newest dataset that has one."""
    if dataset:
        return data_queries.newest_version(session, data_queries.one(session, dataset, domain=person.domain).id)
    found = data_queries.page(session, domain=person.domain, limit=MAX_DATASETS)
    newest = data_queries.newest_versions(session, [each.id for each in found])
    return next((newest[each.id] for each in found if each.id in newest and newest[each.id].is_complete), None)


def own_version(session: orm.Session, version_id: str, person: Person) -> DatasetVersion:
    """A complete version of the person's organisation. Raises DatasetNotFound."""
    version = data_queries.version(session, version_id)
    if version.domain != person.domain:
        raise DatasetNotFound(f"There is no dataset version {version_id}.")
    return version


def checked(form: Filled[RunForm], version: DatasetVersion) -> tuple[tuple[FormField, ...], bool]:
    """The form's fields with what is wrong with each, and whether something is."""
    if not form.is_usable:
        return form.fields, True
    columns = [str(column) for column in version.columns]
    return with_column_errors(form.fields, form.usable, columns, answer_column=version.answer_column)


def prompt_name(session: orm.Session, form: RunForm, version: DatasetVersion, person: Person) -> str:
    """The name that was given, else one that says what it is for."""
    return form.prompt_name or f"About {data_queries.one(session, version.dataset_id, domain=person.domain).name}"[:255]


def model_options(session: orm.Session, domain: str) -> tuple[Option, ...]:
    """Who could answer: fine-tuned models, base models, providers outside."""
    bases = [
        Option(each.id, each.name, f"as it came, {size(each.size_bytes)}; runs on this machine")
        for each in model_queries.bases(session, domain=domain)
    ]
    tuned = [
        Option(each.id, each.name, f"fine-tuned from {each.base_model}")
        for each in model_queries.all_tuned(session, domain=domain)
    ]
    outside = [
        Option(each.id, each.provider_model or each.name, _price(each))
        for each in serve_queries.page(session, domain=domain)
        if each.kind == EngineKind.PROVIDER.value and each.is_wanted
    ]
    return (*bases, *tuned, *outside)


def _price(engine: Engine) -> str:
    if engine.output_usd_per_million is None:
        return f"{engine.name}, outside this machine; no price given"
    return f"{engine.name}, outside this machine; {money(engine.output_usd_per_million)} for a million tokens"


def with_models(fields: Sequence[FormField], options: tuple[Option, ...]) -> tuple[FormField, ...]:
    """The fields, with who can answer; the first one is chosen when nobody is."""
    first = options[0].value if options else ""
    return tuple(
        replace(field, options=options, value=field.value or first) if field.name == "model" else field
        for field in fields
    )


def with_model(page: NewRunPage, model: str | None) -> NewRunPage:
    """The page with this model chosen, when it can be."""
    fields = [
        replace(field, value=model)
        if field.name == "model" and model in {each.value for each in field.options}
        else field
        for field in page.fields
    ]
    return replace(page, fields=tuple(fields))


def run_page(request: Request, session: orm.Session, run: Run, query: AnswerQuery) -> RunPage:
    """One run with some of its answers."""
    progress = queries.progress(session, run.id)
    job = job_queries.one(session, run.job_id) if run.job_id else None
    wording = queries.prompt_version(session, run.prompt_version_id)
    counts = star_queries.counts(session, run.id)
    page = star_queries.answers_page(session, run.id, query)
    columns = variables_of(wording.template)
    line = job_line(job) if job else None
    back = with_query(request, after=None) if query.after else None
    more = with_query(request, after=page.next_after) if page.next_after else None
    found = {"": counts.all, **{name: getattr(counts, name) for name, _ in _FILTERS if name}}
    schema = wording.answer_schema
    as_text = (text_of(schema) or "JSON after a schema") if schema else ""
    return RunPage(
        title=run.name,
        id=run.id,
        state=line.state.value if line else JobState.SUCCEEDED.value,
        facts=(*progress_facts(progress), *cost_facts(Cost.of_result(job.result if job else None))),
        progress=progress,
        job=line,
        place=job_queries.place_in_queue(session, job) if job and job.state == JobState.QUEUED.value else None,
        failure=JobFailure(**job.failure) if job and job.failure and job.state == JobState.FAILED.value else None,
        frequent_error=queries.most_frequent_error(session, run.id) if progress.num_failed else None,
        filters=chips(request, "filter", _FILTERS, found),
        heads=_ANSWER_HEADS,
        answers=tuple(answer_line(item, columns) for item in page.items),
        pager=Pager(f"{number(len(page.items))} shown, in the order of the rows", back, more),
        live=job.id if job and not JobState(job.state).is_over else "",
        address=with_query(request),
        can_retry=bool(progress.num_failed and line and line.state.is_over),
        made_from=_made_from(session, run),
        asked=asked_of(wording.system_text, wording.template, as_text),
        num_read=counts.all - counts.unread,
        downloads=downloads_of(run.id, DownloadFormat) if progress.num_answered else (),
    )


def query_of(choice: AnswerFilter | None, after: str | None) -> AnswerQuery:
    """What the address asks for."""
    return AnswerQuery(filter=choice or AnswerFilter.all, after=after, limit=PAGE_SIZE)


def _lines(session: orm.Session, runs: Sequence[Run], person: Person) -> tuple[RunLine, ...]:
    progress = queries.progress_of(session, [run.id for run in runs])
    stars = star_queries.num_stars(session, domain=person.domain) if runs else {}
    names = _model_names(session, person.domain)
    return tuple(
        run_line(
            run,
            progress[run.id],
            _job(session, run),
            model=names.get(run.model_id or "", ""),
            num_stars=stars.get(run.id, 0),
        )
        for run in runs
    )


def _model_names(session: orm.Session, domain: str) -> dict[str, str]:
    engines = serve_queries.page(session, domain=domain)
    return serve_queries.model_names(session) | {each.id: each.provider_model or each.name for each in engines}


def _job(session: orm.Session, run: Run) -> Job | None:
    return job_queries.one(session, run.job_id) if run.job_id else None


def _made_from(session: orm.Session, run: Run) -> tuple[tuple[str, str], ...]:
    """What it was made from, each with its page."""
    model = _model_names(session, run.domain).get(run.model_id or "", "")
    is_outside = (run.model_id or "").startswith(ENGINE_PREFIX)
    parts = [(model, "/settings#engines" if is_outside else f"/models/{run.model_id}")] if model else []
    if run.kind == RunKindName.PLAYGROUND.value:
        parts.append(("questions from the playground", "/playground"))
    elif run.dataset_version_id:
        version = data_queries.version(session, run.dataset_version_id)
        parts.append((f"{version.num_rows:,} rows of {version.source_name}", f"/data/{version.id}"))
    return tuple(parts)


def _beginning(session: orm.Session, version: DatasetVersion, domain: str) -> dict[str, str]:
    """The sample's own wording, else the newest one that fits these columns, else the column that asks."""
    draft = sample().draft if sample().is_source_of(version) else _fitting(session, version, domain)
    return {"dataset_version": version.id, **values_of(draft)}


def _fitting(session: orm.Session, version: DatasetVersion, domain: str) -> PromptDraft:
    columns = [str(column) for column in version.columns if column != version.answer_column]
    for prompt in queries.prompts(session, domain=domain, limit=5):
        newest = queries.newest_version(session, prompt.id)
        if set(variables_of(newest.system_text, newest.template)) <= set(columns):
            return PromptDraft(newest.template, newest.system_text, newest.answer_schema)
    asks = roles.guess(columns, ()).question or (columns[0] if columns else "")
    return PromptDraft(f"{{{{{asks}}}}}")
