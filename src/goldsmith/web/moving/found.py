"""Gathers what the pages and the API of a move show."""

from collections.abc import Sequence

from goldsmith.connect.openai import moving, planning
from goldsmith.connect.openai.types import Plan
from goldsmith.data import service as data
from goldsmith.data.types import Upload
from goldsmith.jobs.errors import JobNotFound
from goldsmith.jobs.tables import Job
from goldsmith.storage.files import Home
from goldsmith.web.job_lines import job_line
from goldsmith.web.moving.views import MovePage, made_line

_SHA256_CHARS = 64


def planned(home: Home, uploads: Sequence[Upload]) -> Plan:
    """What a move of these files would make."""
    return planning.plan(uploads, lambda upload: data.path_of(home, upload))


def uploads_of(home: Home, kept: Sequence[str]) -> list[Upload]:
    """The files that a form names by hash and name. Raises UploadNotFound."""
    found = []
    for each in kept:
        sha256, _, filename = each.partition(" ")
        is_hash = len(sha256) == _SHA256_CHARS and sha256.isalnum()
        found.append(data.kept_upload(home, sha256 if is_hash else "-", filename[:255]))
    return found


def move_page(job: Job) -> MovePage:
    """One move. Raises JobNotFound where the job is none."""
    if job.kind != moving.KIND:
        raise JobNotFound(f"The job {job.id} brings nothing from OpenAI.")
    result = job.result or {}
    made = tuple(made_line(part) for part in result.get("parts", ()))
    return MovePage(job.title, job_line(job), job.failure, made, tuple(job.params.get("notes", ())))
