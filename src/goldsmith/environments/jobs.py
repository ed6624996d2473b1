"""Installing an environment as a job, so that pages can offer it; the command line installs directly."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.environments import folders, installer
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import queries, queue
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.queue import NewJob
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import Stage
from goldsmith.people.types import Person

KIND = "environment"


def start_install(session: Session, name: EnvironmentName, *, home: Path, by: Person) -> Job | None:
    """Queue the install; None when the environment is there, the job that is at work on it when there is one."""
    if folders.find(name, home=home).is_installed:
        return None
    earlier = queries.newest_of(session, name.value, KIND)
    if earlier is not None and not JobState(earlier.state).is_over:
        return earlier
    return queue.add(session, NewJob(KIND, f"Install the environment {name}", {}, subject_id=name.value), by=by)


class EnvironmentKind(LightKind):
    """Builds an environment from its lock."""

    name: ClassVar[str] = KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("install"),)

    def __init__(self, *, torch_index_url: str, env: Mapping[str, str]) -> None:
        self._torch_index_url = torch_index_url
        self._env = env

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Install. Raises what the installer raises, in sentences."""
        del stage
        environment = installer.install(
            EnvironmentName(context.job.subject_id or ""),
            home=context.home.root,
            torch_index_url=self._torch_index_url,
            report=lambda text, share: context.report(share, text),
            env=self._env,
        )
        return {"size_bytes": environment.size_bytes}
