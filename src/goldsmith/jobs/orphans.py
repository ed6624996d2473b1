"""Children of attempts that are no longer ours: found by their pid files, and killed. The supervisor calls it.

They come to be when another machine took a job over because we had stopped reporting.
"""

import logging
from pathlib import Path

from goldsmith.jobs import child
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

log = logging.getLogger(__name__)


def kill_orphans(database: Database, home: Home, *, machine: str, job_id: str | None = None) -> int:
    """Kill every child in this home whose job says that it is elsewhere, in another attempt, or over.

    A child whose job is not in this database is left alone. Returns how many were killed.
    """
    num_killed = 0
    for pid_file in sorted(home.jobs.glob(f"{job_id or '*'}/attempts/*/*.pid")):
        process = child.find_by_pid_file(pid_file)
        if process is not None and _is_orphan(database, pid_file, machine):
            log.warning("%s is not ours any more: its process %s is killed", pid_file, process.pid)
            child.kill(process)
            child.kill_leftovers(pid_file)
            num_killed += 1
    return num_killed


def _is_orphan(database: Database, pid_file: Path, machine: str) -> bool:
    with database.reading() as session:
        job = session.get(Job, pid_file.parents[2].name)
    if job is None:
        return False
    is_ours = job.machine == machine and JobState(job.state).is_active
    return not (is_ours and (str(job.attempt), job.stage) == (pid_file.parent.name, pid_file.stem))
