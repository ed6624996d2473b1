"""The API over prompts, runs and answers: save a wording, start a run, read its answers, take them away as a file."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import orm
from starlette.responses import StreamingResponse

from goldsmith.data import queries as data_queries
from goldsmith.data.errors import DatasetNotFound
from goldsmith.jobs import queries as job_queries
from goldsmith.jobs.costs import Cost
from goldsmith.jobs.errors import MoveNotAllowed
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.run import prompts, queries, service
from goldsmith.run.downloads import DOWNLOADS, DownloadFormat
from goldsmith.run.messages import variables_of
from goldsmith.run.tables import Prompt, Run
from goldsmith.run.types import READ_KINDS, RunKindName, RunProgress, RunRequest
from goldsmith.stars import queries as star_queries
from goldsmith.web.answers import Before, Id, Limit, made
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session, TheState
from goldsmith.web.described import files
from goldsmith.web.job_access import go_on
from goldsmith.web.run.answers import (
    AnswersAnswer,
    AnswersQuery,
    CostAnswer,
    JobBrief,
    MarkedAnswerAnswer,
    OnePromptAnswer,
    ProgressAnswer,
    PromptAnswer,
    PromptBody,
    PromptPreviewAnswer,
    PromptPreviewBody,
    PromptPreviewsAnswer,
    PromptsAnswer,
    PromptVersionAnswer,
    RunAnswer,
    RunBody,
    RunsAnswer,
    RunShown,
)

api = APIRouter(tags=["runs"])


TheFormat = Annotated[DownloadFormat, Query(alias="format")]


@api.post("/v1/prompts", status_code=201)
def save_prompt(session: Session, person: CurrentPerson, body: PromptBody, response: Response) -> PromptAnswer:
    """Save a wording; the same wording under the same name is the version that is there already."""
    version = prompts.save_prompt(session, body.name, body.draft, by=person)
    prompt = queries.prompt(session, version.prompt_id, domain=person.domain)
    made(response, f"/v1/prompts/{prompt.id}")
    return PromptAnswer(**_shown(prompt), version=PromptVersionAnswer.model_validate(version))


@api.get("/v1/prompts")
def list_prompts(
    session: ReadSession, person: CurrentPerson, before: Before = None, limit: Limit = 50
) -> PromptsAnswer:
    """Prompts with their newest wording, newest first."""
    found = queries.prompts(session, domain=person.domain, before=before, limit=limit)
    newest = [PromptVersionAnswer.model_validate(queries.newest_version(session, prompt.id)) for prompt in found]
    shown = [PromptAnswer(**_shown(prompt), version=version) for prompt, version in zip(found, newest, strict=True)]
    return PromptsAnswer(prompts=shown, before=found[-1].id if len(found) == limit else None)


@api.post("/v1/prompts/preview")
def preview_prompt(session: ReadSession, person: CurrentPerson, body: PromptPreviewBody) -> PromptPreviewsAnswer:
    """What the first rows would ask; saves nothing."""
    version_id = _dataset_version(session, body.dataset, body.dataset_version, domain=person.domain)
    found = prompts.preview(session, body.draft, version_id, limit=body.limit)
    variables = variables_of(body.template, body.system_text)
    previews = [PromptPreviewAnswer.model_validate(one) for one in found]
    return PromptPreviewsAnswer(variables=variables, previews=previews)


@api.get("/v1/prompts/{prompt_id}")
def one_prompt(session: ReadSession, person: CurrentPerson, prompt_id: Id) -> OnePromptAnswer:
    """A prompt with all of its wordings, newest first."""
    prompt = queries.prompt(session, prompt_id, domain=person.domain)
    versions = [PromptVersionAnswer.model_validate(version) for version in queries.versions(session, prompt.id)]
    return OnePromptAnswer(**_shown(prompt), versions=versions)


@api.post("/v1/runs", status_code=201)
def start(session: Session, person: CurrentPerson, body: RunBody, response: Response) -> RunAnswer:
    """Ask a model about every row of a dataset. The model's engine is started when it is not there."""
    dataset_version_id = _dataset_version(session, body.dataset, body.dataset_version, domain=person.domain)
    prompt_version_id = _prompt_version(session, body, domain=person.domain)
    request = RunRequest(dataset_version_id, prompt_version_id, body.model, name=body.name, options=body.options)
    run = service.start(session, request, by=person)
    made(response, f"/v1/runs/{run.id}")
    return _run(session, run)


@api.get("/v1/runs")
def list_runs(
    session: ReadSession,
    person: CurrentPerson,
    kind: RunKindName | None = None,
    before: Before = None,
    limit: Limit = 50,
) -> RunsAnswer:
    """Runs, newest first; those of comparisons only when asked for with `kind=arm`."""
    kinds = [kind.value] if kind else READ_KINDS
    found = queries.page(session, domain=person.domain, kinds=kinds, before=before, limit=limit)
    return RunsAnswer(runs=_runs(session, found), before=found[-1].id if len(found) == limit else None)


@api.get("/v1/runs/{run_id}")
def one(session: ReadSession, person: CurrentPerson, run_id: Id) -> RunAnswer:
    """A run, how far it is, and its job."""
    return _run(session, queries.one(session, run_id, domain=person.domain))


@api.get("/v1/runs/{run_id}/answers")
def answers(
    session: ReadSession, person: CurrentPerson, run_id: Id, query: Annotated[AnswersQuery, Query()]
) -> AnswersAnswer:
    """A run's answers with their rows and marks; ask with `after` for more."""
    run = queries.one(session, run_id, domain=person.domain)
    page = star_queries.answers_page(session, run.id, query.query)
    shown = [MarkedAnswerAnswer.of(item) for item in page.items]
    return AnswersAnswer(answers=shown, next_after=page.next_after)


@api.get(
    "/v1/runs/{run_id}/download",
    response_class=StreamingResponse,
    responses=files(*(kind.media_type for kind in DOWNLOADS.values())),
)
def download(
    state: TheState, session: ReadSession, person: CurrentPerson, run_id: Id, file_format: TheFormat
) -> StreamingResponse:
    """All answers as a file. In CSV and Excel, cells that would be calculated get an apostrophe in front."""
    run = queries.one(session, run_id, domain=person.domain)
    data_queries.version(session, run.dataset_version_id or "", must_be_complete=False)
    kind = DOWNLOADS[file_format]
    headers = {"content-disposition": f'attachment; filename="{run.id}.{file_format.value}"'}
    return StreamingResponse(kind.pieces(state.database, run.id), media_type=kind.media_type, headers=headers)


@api.post("/v1/runs/{run_id}/retry-failed")
def retry_failed(session: Session, person: CurrentPerson, run_id: Id) -> RunAnswer:
    """Ask again what has failed; good answers stay as they are."""
    run = queries.one(session, run_id, domain=person.domain)
    _refuse_at_work(service.job_of(session, run))
    service.retry_failed(session, run.id, by=person)
    return _run(session, run)


@api.post("/v1/runs/{run_id}/pause")
def pause(session: Session, person: CurrentPerson, run_id: Id) -> RunAnswer:
    """Stop after the answers that are on their way; it can go on later."""
    service.pause(session, run_id, by=person)
    return _run(session, queries.one(session, run_id))


@api.post("/v1/runs/{run_id}/resume")
def resume(session: Session, person: CurrentPerson, run_id: Id) -> RunAnswer:
    """Go on with the rows that have no answer yet."""
    run = queries.one(session, run_id, domain=person.domain)
    go_on(session, service.job_of(session, run), person)
    return _run(session, run)


@api.post("/v1/runs/{run_id}/cancel")
def cancel(session: Session, person: CurrentPerson, run_id: Id) -> RunAnswer:
    """Stop for good; the answers that are there stay."""
    service.cancel(session, run_id, by=person)
    return _run(session, queries.one(session, run_id))


def _shown(prompt: Prompt) -> dict[str, Any]:
    return {name: getattr(prompt, name) for name in ("id", "name", "created_by", "created_at")}


def _dataset_version(session: orm.Session, dataset: str | None, version_id: str | None, *, domain: str) -> str:
    """The version that is named, else the newest of the dataset."""
    if version_id is None:
        return data_queries.newest_version(session, data_queries.one(session, dataset or "", domain=domain).id).id
    found = data_queries.version(session, version_id)
    if found.domain != domain:
        raise DatasetNotFound(f"There is no dataset version {version_id}.")
    return found.id


def _prompt_version(session: orm.Session, body: RunBody, *, domain: str) -> str:
    if body.prompt_version is not None:
        return queries.prompt_version(session, body.prompt_version, domain=domain).id
    return queries.newest_version(session, queries.prompt(session, body.prompt or "", domain=domain).id).id


def _run(session: orm.Session, run: Run) -> RunAnswer:
    return _runs(session, [run])[0]


def _runs(session: orm.Session, runs: Sequence[Run]) -> list[RunAnswer]:
    progress = queries.progress_of(session, [run.id for run in runs])
    return [_answer(run, progress[run.id], _job(session, run)) for run in runs]


def _answer(run: Run, progress: RunProgress, job: Job | None) -> RunAnswer:
    shown = RunShown.model_validate(run).model_dump()
    brief = JobBrief.model_validate(job) if job is not None else None
    cost = CostAnswer.model_validate(Cost.of_result(job.result if job is not None else None))
    return RunAnswer(**shown, progress=ProgressAnswer.model_validate(progress), job=brief, cost=cost)


def _job(session: orm.Session, run: Run) -> Job | None:
    return job_queries.one(session, run.job_id) if run.job_id is not None else None


def _refuse_at_work(job: Job) -> None:
    if not JobState(job.state).is_over:
        raise MoveNotAllowed(f"{job.title} is {job.state}; what has failed can be asked again when it is over.")
