"""A real Label Studio and a real Goldsmith, each telling the other: tasks and stars come here, answers go there.

Label Studio is installed from PyPI, the first time in about a minute.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from tests import label_studio_real
from tests.factories import make_answer, make_job, make_prompt_version, make_run
from tests.label_studio_real import RealStudio
from tests.label_studio_stand_in import RECORDED
from tests.web.gateway_site import serving

from goldsmith import app
from goldsmith.data import queries as data
from goldsmith.data.tables import DatasetVersion
from goldsmith.jobs import queue
from goldsmith.jobs.states import JobState
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.settings import Settings

pytestmark = [
    pytest.mark.long,
    pytest.mark.enable_socket,
    pytest.mark.xdist_group("label studio"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Label Studio is locked for Python 3.11"),
]

NUM_TASKS = 130
WAIT_S = 60.0
CONFIG = RECORDED["project"]["label_config"]


@dataclass(frozen=True)
class Site:
    """A Goldsmith that runs."""

    parts: app.Parts
    url: str
    key: str
    person: Person

    def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = httpx2.request(method, f"{self.url}{path}", headers=headers, timeout=60, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def num_stars(self) -> int:
        from goldsmith.stars import queries

        with self.parts.database.reading() as session:
            return sum(queries.num_stars(session, domain=self.person.domain).values())


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStudio]:
    with label_studio_real.running(tmp_path_factory.mktemp("studio")) as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    settings = Settings(home=tmp_path_factory.mktemp("site") / "home", webhook_hosts=("127.0.0.1",))
    parts = app.assemble(settings)
    app.prepare_database(parts)
    keepers = [each for each in app.make_keepers(parts) if each.name in ("syncs", "offers")]
    stop = threading.Event()
    thread = threading.Thread(target=app.make_supervisor(parts).run, args=(stop, keepers), daemon=True)
    thread.start()
    try:
        with parts.database.transaction() as session:
            person = people.known_by_name(session, "Ada")
            _, key = people.add_key(session, "tests", by=person)
        with serving(app.make_asgi(parts)) as url:
            yield Site(parts, url, key, person)
    finally:
        stop.set()
        thread.join(timeout=20)
        parts.database.dispose()


def until(look: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError(f"not within {WAIT_S:g} s: {what}")


def annotate(studio: RealStudio, task_id: int, reply: str, rating: int, **more: Any) -> None:
    """Somebody submits an annotation there."""
    values = ("reply", "textarea", {"text": [reply]}), ("quality", "rating", {"rating": rating})
    result = [{"from_name": name, "to_name": "q", "type": kind, "value": value} for name, kind, value in values]
    studio.ask("POST", f"/api/tasks/{task_id}/annotations/", {"result": result, **more})


def answer_all(site: Site, version_id: str) -> str:
    """A run of a model over the rows has ended."""
    with site.parts.database.transaction() as session:
        version = session.get_one(DatasetVersion, version_id)
        run = make_run(session, version, make_prompt_version(session))
        job = make_job(session, kind="run")
        run.job_id = job.id
        for row in data.rows(session, version_id, limit=NUM_TASKS):
            make_answer(session, run, row, f"a model's answer {row.position}")
        for state in (JobState.STARTING, JobState.RUNNING):
            queue.move(session, job, state, "at work")
        queue.finish(session, job)
        return run.id


def predictions(studio: RealStudio, project: int) -> list[Any]:
    found = studio.ask("GET", f"/api/tasks/?project={project}&fields=all&page_size=1000")
    return [(task["id"], each) for task in found["tasks"] for each in task["predictions"]]


def test_tasks_and_stars_come_and_answers_go_and_nothing_goes_in_circles(studio: RealStudio, site: Site) -> None:
    project = studio.ask("POST", "/api/projects/", {"title": "Support", "label_config": CONFIG})["id"]
    tasks = [{"data": {"question": f"question {number}?"}} for number in range(NUM_TASKS)]
    studio.ask("POST", f"/api/projects/{project}/import", tasks)
    ids = [task["id"] for task in studio.ask("GET", f"/api/tasks/?project={project}&page_size=1000")["tasks"]]
    annotate(studio, ids[0], "the right answer", 5)
    annotate(studio, ids[1], "a poor answer", 2)
    personal = studio.ask("POST", "/api/token/")["token"]

    options = {"address": studio.url, "project": project, "token": "wrong", "stars": "by_rating", "told_at": site.url}
    body = {"name": "Support", "kind": "label_studio", "question_column": "question", "options": options}
    at = site.ask("POST", "/v1/sources", json=body)["id"]
    told = site.ask("POST", f"/v1/sources/{at}/test")
    assert (told["ok"], "does not let this token in" in told["detail"]) == (False, True)
    site.ask("PATCH", f"/v1/sources/{at}", json={"options": {"token": personal, "offer_answers": True}})
    told = site.ask("POST", f"/v1/sources/{at}/test")
    assert f"“Support”, answers and has {NUM_TASKS} tasks" in told["detail"]

    def syncs() -> list[Any]:
        found: list[Any] = site.ask("GET", f"/v1/sources/{at}/syncs")["syncs"]
        assert not [each for each in found if each["state"] == "failed"]
        return found

    site.ask("POST", f"/v1/sources/{at}/sync")
    first = until(lambda: [each for each in syncs() if each["state"] == "succeeded"], "the first reading")[0]
    assert (first["num_new"], site.num_stars()) == (NUM_TASKS, 1)
    (webhook,) = studio.ask("GET", f"/api/webhooks/?project={project}")
    assert webhook["url"].startswith(site.url)

    annotate(studio, ids[2], "another right answer", 4)  # and Label Studio says so
    until(lambda: site.num_stars() == 2, "the star of what was annotated since")
    told_sync = syncs()[0]
    assert (told_sync["is_scheduled"], told_sync["num_new"], told_sync["num_changed"]) == (True, 0, 1)

    run_id = answer_all(site, until(lambda: syncs()[0]["version_id"], "the new version"))
    offer = until(
        lambda: [
            each for each in site.ask("GET", f"/v1/sources/{at}/offers")["offers"] if each["state"] == "succeeded"
        ],
        "the answers there",
    )[0]
    assert (offer["run_id"], offer["is_by_itself"], offer["num_new"]) == (run_id, True, NUM_TASKS)
    there = predictions(studio, project)
    assert {each["model_version"] for _, each in there} == {f"a run ({run_id})"}
    assert sorted(task_id for task_id, _ in there) == ids
    again = site.ask("POST", f"/v1/sources/{at}/offers", json={"run": run_id})
    assert (again["num_new"], again["num_same"]) == (0, NUM_TASKS)

    read_again = site.ask("POST", f"/v1/sources/{at}/sync")
    assert (read_again["state"], read_again["num_new"], read_again["num_changed"]) == ("succeeded", 0, 0)
    assert read_again["version_id"] is None, "what was offered there is nothing new here"

    accepted = there[5]
    annotate(studio, accepted[0], accepted[1]["result"][0]["value"]["text"][0], 5, parent_prediction=accepted[1]["id"])
    until(lambda: site.num_stars() == 3, "the star of an answer that was accepted there")
    studio.ask(
        "POST",
        f"/api/dm/actions/?id=delete_tasks&project={project}",
        {"selectedItems": {"all": False, "included": [ids[0]]}},
    )
    until(lambda: syncs()[0]["num_gone"] == 1 and syncs()[0]["state"] == "succeeded", "that a task is gone")
    assert site.num_stars() == 2
    time.sleep(6)
    assert len(predictions(studio, project)) == NUM_TASKS - 1, "what people said there does not go back as an answer"

    removed = site.ask("DELETE", f"/v1/sources/{at}")
    assert (removed["left_there"], studio.ask("GET", f"/api/webhooks/?project={project}")) == (None, [])
