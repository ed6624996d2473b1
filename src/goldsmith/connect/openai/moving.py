"""The work of a move: each part of its plan becomes datasets, prompts, stars and training sets.

Each thing is found again where it is there already, so a death costs only what was under way, and moving the same files
twice makes nothing twice. A part that cannot be made does not stop the others.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.connect.openai import evals, lines, objects, queries
from goldsmith.connect.openai.errors import NothingToBring
from goldsmith.connect.openai.lines import Written
from goldsmith.connect.openai.types import FileKind, Part, PartKind, Plan
from goldsmith.data import queries as data_queries
from goldsmith.data import service as data
from goldsmith.data.types import ImportRequest, Upload
from goldsmith.errors import GoldsmithError
from goldsmith.jobs import queue
from goldsmith.jobs.errors import JobFailed, LeaseLost
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import Stage
from goldsmith.people.types import Person
from goldsmith.run import prompts
from goldsmith.stars import export as exporting
from goldsmith.stars.jobs import author_of, star_answers, wait_for_import
from goldsmith.stars.types import ExportRequest

KIND = "move_in"
_ANSWER = "answer"
_CHAT_FORMAT = "chat"


def start(session: Session, plan: Plan, *, by: Person) -> Job:
    """Queue the making of a plan's parts. Raises NothingToBring."""
    if not plan.parts:
        raise NothingToBring(f"Nothing can be made of these files. {' '.join(plan.notes)}".strip())
    params = {"parts": [part.to_dict() for part in plan.parts], "notes": list(plan.notes)}
    num = len(plan.parts)
    title = f"Bring {plan.parts[0].name} from OpenAI" if num == 1 else f"Bring {num} things from OpenAI"
    return queue.add(session, NewJob(KIND, title[:255], params), by=by)


class MoveInKind(LightKind):
    """Makes what a plan says, part by part."""

    name: ClassVar[str] = KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("bring"),)

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """What each part made, or why it could not. Raises JobFailed where no part could be made."""
        del stage
        parts = [Part.from_dict(kept) for kept in context.job.params["parts"]]
        made: list[dict[str, Any]] = []
        for number, part in enumerate(parts):
            if context.should_stop():
                break
            context.report(number / len(parts), part.name)
            made.append(_made(context, part))
        failed = [each for each in made if "error" in each]
        if failed and len(failed) == len(parts):
            raise JobFailed(f"{failed[0]['name']}: {failed[0]['error']}", hint=failed[0].get("hint"))
        return {"parts": made, "notes": list(context.job.params["notes"])}


def _made(context: WorkContext, part: Part) -> dict[str, Any]:
    about = {"name": part.name, "kind": part.kind.value}
    try:
        found = _MAKERS[part.kind](context, part)
    except LeaseLost:
        raise
    except GoldsmithError as error:
        return {**about, "error": error.message, "hint": error.hint}
    return {**about, **found, "notes": [*part.notes, *found.get("notes", [])]}


def _lesson(context: WorkContext, part: Part) -> dict[str, Any]:
    """A training set of a training file; its validation file is the exam."""
    runs: dict[str, str] = {}
    made: dict[str, Any] = {}
    for use, uploads in part.files.items():
        request = ImportRequest(uploads[0], _name(part, use), answer_column=_ANSWER, format=_CHAT_FORMAT)
        brought = _brought(context, request)
        made = {**brought, **made}
        if context.should_stop():
            return made
        runs[use] = star_answers(context, brought["version_id"])
        if context.should_stop():  # with the exam's rows still missing, the share would choose others, and for ever
            return made
    return {**made, **_exported(context, part, runs["learn"], runs.get("exam"))}


def _exam(context: WorkContext, part: Part) -> dict[str, Any]:
    """An exam of an eval: its rows with right answers, its prompt, and the questions of its judges."""
    found = _eval_of(context, part)
    runs = [run for run in _objects(context, part, "runs") if not part.eval_id or run.get("eval_id") == part.eval_id]
    question = next((each for each in map(evals.question_of, runs) if each is not None), None)
    grading = evals.grading_of(found.get("testing_criteria") or [])
    paths = _paths(context, part, "rows")
    upload = _keep(context, f"{part.name}.jsonl", lines.eval_rows(paths, runs, question, grading))
    answers = evals.answer_column(grading)
    made = _brought(context, ImportRequest(upload, part.name, answer_column=answers, format="jsonl"))
    drafts = {f"{part.name}: {judge}": draft for judge, draft in grading.judges.items()}
    with context.transaction() as session:
        by = author_of(session, context)
        judges = {name: prompts.save_prompt(session, name[:255], draft, by=by).id for name, draft in drafts.items()}
        asked = prompts.save_prompt(session, part.name, question.draft, by=by).id if question is not None else None
    made = {**made, "prompt_version_id": asked, "judges": judges}
    if answers is None or asked is None or context.should_stop():
        return made
    run_id = star_answers(context, made["version_id"], asked)
    return made if context.should_stop() else {**made, **_exported(context, part, run_id, run_id)}


def _answers(context: WorkContext, part: Part) -> dict[str, Any]:
    """A dataset of requests with their answers, which nobody has looked at yet."""
    written = Written()
    asked, answered = _paths(context, part, "asked"), _paths(context, part, "answered")
    rows = lines.batch_rows(asked, answered, written) if asked else lines.completion_rows(answered[0], written)
    upload = _keep(context, f"{part.name}.jsonl", rows)
    is_answered = bool(answered)
    request = ImportRequest(
        upload, part.name, answer_column=_ANSWER if is_answered and part.is_starred else None, format=_CHAT_FORMAT
    )
    made = {**_brought(context, request), "notes": written.notes}
    if request.answer_column is None or context.should_stop():
        return made
    return {**made, "run_id": star_answers(context, made["version_id"])}


_MAKERS = {PartKind.LESSON: _lesson, PartKind.EXAM: _exam, PartKind.ANSWERS: _answers}


def _brought(context: WorkContext, request: ImportRequest) -> dict[str, Any]:
    """The dataset's version of these bytes, complete; imported when it is not there yet."""
    sha256, answers, domain = request.upload.sha256, request.answer_column, context.job.domain
    with context.transaction() as session:
        version = queries.version_of(session, sha256, answer_column=answers, domain=domain)
        if version is None:
            version, _ = data.start_import(session, request, by=author_of(session, context))
        version_id = version.id
    if not wait_for_import(context, version_id):
        return {"version_id": version_id}
    with context.database.reading() as session:
        version = data_queries.version(session, version_id)
        counts = {"num_rows": version.num_rows, "num_bad_rows": version.num_bad_rows}
        return {"dataset_id": version.dataset_id, "version_id": version.id, **counts}


def _exported(context: WorkContext, part: Part, run_id: str, exam_run_id: str | None) -> dict[str, Any]:
    with context.transaction() as session:
        request = ExportRequest(part.name, run_id=run_id, exam_run_id=exam_run_id)
        made = exporting.export(session, context.home, request, by=author_of(session, context))
        counts = {"num_learn": made.num_learn, "num_exam": made.num_exam, "num_dropped": made.num_dropped}
        return {"run_id": run_id, "training_set_id": made.id, **counts}


def _eval_of(context: WorkContext, part: Part) -> Mapping[str, Any]:
    for found in _objects(context, part, "eval"):
        if objects.kind_of_object(found) is FileKind.EVAL and str(found.get("id") or "") == (part.eval_id or ""):
            return found
    raise JobFailed(f"The eval {part.name} is not in its file any more.", kind="eval_gone")


def _objects(context: WorkContext, part: Part, use: str) -> list[dict[str, Any]]:
    return [found for path in _paths(context, part, use) for found in objects.objects(path)]


def _paths(context: WorkContext, part: Part, use: str) -> Sequence[Path]:
    return [data.path_of(context.home, upload) for upload in part.files.get(use, ())]


def _keep(context: WorkContext, filename: str, rows: Iterable[bytes]) -> Upload:
    """The rows as an upload of their own. Raises JobFailed where there is none."""
    with tempfile.TemporaryFile(dir=context.home.uploads) as file:
        file.writelines(rows)
        if file.tell() == 0:
            raise JobFailed(
                "No row of it is in these files.", hint="Bring the file with its rows, too.", kind="no_rows"
            )
        file.seek(0)
        return data.save_upload(context.home, file, filename)


def _name(part: Part, use: str) -> str:
    return part.name if use == "learn" else f"{part.name}: exam"
