"""`goldsmith down` as people call it: real processes, and an import that is in the middle of its work."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.cli.test_processes import answers, environment, up, wait_until

from goldsmith import app
from goldsmith.jobs import child, queries
from goldsmith.jobs.types import ChildId
from goldsmith.settings import Settings

pytestmark = pytest.mark.long

NUM_ROWS = 400_000
"""So many that their import takes several seconds on any machine."""


def goldsmith(env: dict[str, str], *words: str) -> str:
    argv = [sys.executable, "-m", "goldsmith", *words]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout


def start_import(env: dict[str, str], folder: Path) -> ChildId:
    """Have a large file imported; returns the worker that is at it."""
    rows = folder / "rows.csv"
    rows.write_text("question\n" + "".join(f"Where is parcel {number}?\n" for number in range(NUM_ROWS)))
    goldsmith(env, "data", "import", str(rows), "--no-wait")
    parts = app.assemble(Settings(home=Path(env["GOLDSMITH_HOME"]), database_url=None))
    found: list[ChildId] = []

    def is_at_work() -> bool:
        with parts.database.reading() as session:
            job = queries.page(session, domain="local", kind="import", limit=1)[0]
        if job.pid and "rows read" in job.message:
            found.append(ChildId(job.pid, job.pid_started_at or 0.0, job.pid_booted_at or 0.0))
        return bool(found)

    wait_until(is_at_work)
    parts.database.dispose()
    return found[0]


def states(env: dict[str, str]) -> list[str]:
    return [job["state"] for job in json.loads(goldsmith(env, "jobs", "list", "--json"))]


@pytest.mark.parametrize("is_killed", [False, True], ids=["up runs", "up was killed"])
def test_it_waits_until_jobs_have_saved_and_leaves_no_process(tmp_path: Path, is_killed: bool) -> None:
    env = environment(tmp_path / "home")
    with up(env, tmp_path / "log") as process:
        wait_until(lambda: answers(int(env["GOLDSMITH_PORT"])))
        worker = start_import(env, tmp_path)
        if is_killed:
            process.send_signal(signal.SIGKILL)
            process.wait()
        said = json.loads(goldsmith(env, "down", "--json"))
        assert said == {"paused_jobs": 1, "still_running_jobs": [], "stopped": not is_killed}
        assert states(env) == ["paused"]
        assert not child.is_alive(worker)
        assert process.wait(timeout=20) == (-signal.SIGKILL if is_killed else 0)
