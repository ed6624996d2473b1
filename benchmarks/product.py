"""A Goldsmith of its own: `goldsmith up` in an empty home that borrows environments, spoken to over HTTP alone.

For benchmarks and tests that walk the loop as a program outside would. At its end jobs are cancelled, engines and
processes stopped; the caller removes the home.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from benchmarks.servers import free_port, served

from goldsmith.jobs.states import JobState

JOB_TIMEOUT_S = 1800.0
HTTP_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 90.0
LOOK_EVERY_S = 0.3
SAY_EVERY_S = 10.0
T = TypeVar("T")


class NotGood(Exception):
    """Something did not come out as it should; the text says what."""


def say(text: str) -> None:
    """Tell whoever waits how far it is."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Api:
    """Goldsmith's HTTP API with a key."""

    http: httpx2.Client

    def get(self, path: str, **query: Any) -> Any:
        """The answer's JSON. Raises NotGood with the problem's words."""
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: Any = None) -> Any:
        """The answer's JSON. Raises NotGood with the problem's words."""
        return self._ask("POST", path, json=body if body is not None else {})

    def wait_for_job(self, job_id: str, *, timeout_s: float = JOB_TIMEOUT_S) -> dict[str, Any]:
        """The job once it has succeeded; says now and then how far it is. Raises NotGood when it ends otherwise."""
        said_at = time.monotonic()

        def look() -> dict[str, Any] | None:
            nonlocal said_at
            job: dict[str, Any] = self.get(f"/v1/jobs/{job_id}")
            if time.monotonic() - said_at > SAY_EVERY_S:
                said_at = time.monotonic()
                say(f"  {job['title']}: {job['state']}, {100 * job['progress']:.0f} %, {job['message']}")
            return job if JobState(job["state"]).is_over else None

        job = wait_until(look, f"the job {job_id}", timeout_s=timeout_s)
        if job["state"] != JobState.SUCCEEDED.value:
            raise NotGood(f"{job['title']} is {job['state']}: {job['failure'] or job['message']}")
        return job

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        answer = self.http.request(method, path, **content)
        if answer.status_code >= 400:
            raise NotGood(f"{method} {path} was answered with {answer.status_code}: {answer.text[:2000]}")
        return answer.json()


def wait_until(look: Callable[[], T | None], what: str, *, timeout_s: float) -> T:
    """What `look` finds, once it finds something. Raises NotGood when that takes too long."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(LOOK_EVERY_S)
    raise NotGood(f"There was no end of {what} within {timeout_s:.0f} s.")


@contextmanager
def running(home: Path, lender: Path, *, import_root: Path, settings: Mapping[str, str] | None = None) -> Iterator[Api]:
    """Goldsmith in the folder `home`, with the lender's environments; models may be imported from `import_root`."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "environments").symlink_to((lender / "environments").resolve())
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("GOLDSMITH_")}
    env |= {
        "GOLDSMITH_HOME": str(home),
        "GOLDSMITH_PORT": str(port),
        "GOLDSMITH_ENGINE_PORT": str(free_port()),
        "GOLDSMITH_IMPORT_ROOTS": str(import_root),
        **(settings or {}),
    }
    headers = {"Authorization": f"Bearer {_make_key(env)}"}
    with (
        served(["-m", "goldsmith", "up"], port=port, env=env) as server,
        httpx2.Client(base_url=server.url, headers=headers, timeout=HTTP_TIMEOUT_S) as http,
    ):
        api = Api(http)
        try:
            yield api
        finally:
            _cancel_jobs(api)


def _make_key(env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "goldsmith", "--json", "keys", "add", "benchmark"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(done.stdout)["key"])


def _cancel_jobs(api: Api) -> None:
    """So that nothing goes on behind a benchmark that has failed."""
    try:
        active = [job for job in api.get("/v1/jobs")["jobs"] if not JobState(job["state"]).is_over]
        for job in active:
            api.post(f"/v1/jobs/{job['id']}/cancel")
        for job in active:
            wait_until(lambda job=job: _is_over(api, job["id"]), job["title"], timeout_s=STOP_TIMEOUT_S)  # type: ignore[misc]
    except (NotGood, httpx2.HTTPError) as error:
        say(f"Jobs could not be cancelled: {error}")


def _is_over(api: Api, job_id: str) -> bool | None:
    return JobState(api.get(f"/v1/jobs/{job_id}")["state"]).is_over or None
