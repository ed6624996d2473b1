"""The API of a move: uploaded files in, a plan out, and a job that makes it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.unit.connect.openai.conftest import EVAL, ROWS, RUN, chat
from tests.web.conftest import Site, make_site

from goldsmith.data.tables import StoredFile
from goldsmith.web.factory import Routers
from goldsmith.web.jobs import api as jobs_api
from goldsmith.web.moving.api import api
from goldsmith.web.openai import files

PATH = "/v1/openai-imports"


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    routers = Routers(api=[api, jobs_api.api], openai=[files.openai])
    made = make_site(tmp_path, routers, database_url=database_url)
    yield made
    made.database.dispose()


def uploaded(program: TestClient, name: str, objects: list[dict[str, Any]]) -> str:
    content = "".join(json.dumps(each) + "\n" for each in objects).encode()
    answer = program.post("/v1/files", files={"file": (name, content)}, data={"purpose": "user_data"})
    return str(answer.json()["id"])


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(site: Site) -> None:
    program = site.program()
    ids = [uploaded(program, "eval.json", [EVAL]), uploaded(program, "runs.jsonl", [RUN])]
    answer = program.post(PATH, json={"files": [*ids, uploaded(program, "rows.jsonl", ROWS)], "dry_run": True})
    assert answer.status_code == 200
    assert [part["name"] for part in answer.json()["parts"]] == ["Tickets"]
    assert [file["holds"] for file in answer.json()["files"]] == ["eval", "eval.run", "eval rows"]
    assert answer.json()["job_id"] is None
    assert program.get("/v1/jobs").json()["jobs"] == []


def test_what_is_asked_for_is_under_way(site: Site) -> None:
    program = site.program()
    file_id = uploaded(program, "cards.jsonl", [chat("q", "a")])
    answer = program.post(PATH, json={"files": [file_id, file_id]})
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['job_id']}"
    assert len(answer.json()["files"]) == 1


def test_files_of_which_nothing_can_be_made_are_refused(site: Site) -> None:
    program = site.program()
    answer = program.post(PATH, json={"files": [uploaded(program, "x.jsonl", [{"question": "q"}])]})
    assert answer.status_code == 422
    assert "x.jsonl is none of the files" in answer.text


def test_only_files_of_ones_own_organisation_are_brought(site: Site) -> None:
    program = site.program()
    file_id = uploaded(program, "cards.jsonl", [chat("q", "a")])
    with site.database.transaction() as session:
        session.get_one(StoredFile, file_id).domain = "elsewhere"
    assert program.post(PATH, json={"files": [file_id]}).status_code == 404
