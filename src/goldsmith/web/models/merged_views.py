"""How a fine-tuned model and its merged one are shown to each other. Knows no request and asks no database."""

from dataclasses import dataclass

from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.serve.merged.service import Merging
from goldsmith.web.job_lines import JobLine, job_line


@dataclass(frozen=True)
class MergedView:
    """What can be said and done about merging."""

    job: JobLine | None
    """At work on it, or ended otherwise than well."""
    href: str
    """The merged model; empty while there is none."""
    name: str
    speed: str
    """What it brought, in numbers; empty until it was measured."""
    measuring: JobLine | None
    can_begin: bool


def merged_view(found: Merging) -> MergedView:
    """As it stands."""
    job = _shown(found.job)
    is_at_work = job is not None and not job.state.is_over
    return MergedView(
        job=job,
        href=f"/models/{found.model.id}" if found.model is not None else "",
        name=found.model.name if found.model is not None else "",
        speed=str((found.speed or {}).get("sentence", "")),
        measuring=_shown(found.measuring),
        can_begin=found.model is None and not is_at_work,
    )


def _shown(job: Job | None) -> JobLine | None:
    return job_line(job) if job is not None and job.state != JobState.SUCCEEDED.value else None
