"""The API over marks and training sets, through HTTP."""

import hashlib
import json
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.factories import make_answer, make_dataset_version, make_prompt_version, make_run
from tests.web.conftest import Site

from goldsmith.data import queries as data

NUM_ROWS = 20


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.program()


@pytest.fixture
def answers(site: Site) -> list[str]:
    """Answers of a run; the odd ones equal the column `expected`."""
    rows = [{"question": f"question {number}", "expected": f"label {number}"} for number in range(1, NUM_ROWS + 1)]
    with site.database.transaction() as session:
        version = make_dataset_version(session, rows, by=site.person)
        run = make_run(session, version, make_prompt_version(session, by=site.person), by=site.person)
        found = data.rows(session, version.id)
        texts = [str(row.content["expected"]) if row.position % 2 else "other" for row in found]
        return [make_answer(session, run, row, text).id for row, text in zip(found, texts, strict=True)]


@pytest.fixture
def run_id(client: TestClient, answers: list[str]) -> str:
    return str(client.get("/v1/runs").json()["runs"][0]["id"])


def say(client: TestClient, answer_id: str, verb: str, **body: Any) -> Any:
    answer = client.post(f"/v1/answers/{answer_id}/{verb}", json=body or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def star_all(client: TestClient, run_id: str) -> None:
    for rule in ("star_equal", "correct_others"):
        done = client.post(f"/v1/runs/{run_id}/stars/apply", json={"rule": rule, "column": "expected"})
        assert done.status_code == 200, done.text


def export(client: TestClient, **body: Any) -> Any:
    answer = client.post("/v1/fine-tuning/datasets/export", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_an_answer_is_starred_corrected_noted_and_all_of_it_undone(client: TestClient, answers: list[str]) -> None:
    one = answers[0]
    assert say(client, one, "star")["is_star"]
    assert say(client, one, "bad")["is_bad"]
    assert not say(client, one, "bad")["is_star"]
    corrected = say(client, one, "correct", text="better")
    assert (corrected["kind"], corrected["is_star"], corrected["correction"]) == ("correction", True, "better")
    assert say(client, one, "note", text="why")["note"] == "why"
    assert say(client, one, "undo")["note"] is None
    assert not say(client, one, "undo")["is_star"]
    kinds = [mark["kind"] for mark in client.get(f"/v1/answers/{one}/marks").json()["marks"]]
    assert kinds == ["star", "bad", "correction", "note", "undo", "undo"]


def test_a_mark_that_somebody_else_made_meanwhile_is_not_overwritten(client: TestClient, answers: list[str]) -> None:
    seen = say(client, answers[0], "star", expected_mark_id=0)
    late = client.post(f"/v1/answers/{answers[0]}/bad", json={"expected_mark_id": 0})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/star-conflict")
    assert say(client, answers[0], "bad", expected_mark_id=seen["id"])["is_bad"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("ans_x/star", 404), ("{}/correct", 422), ("{}/undo", 409), ("{}/praise", 422)],
)
def test_a_mark_that_is_not_possible_says_what_to_do(
    client: TestClient, answers: list[str], path: str, status: int
) -> None:
    answer = client.post(f"/v1/answers/{path.format(answers[0])}")
    assert answer.status_code == status
    assert answer.json()["hint"]


def test_a_rule_is_seen_before_it_is_applied(client: TestClient, run_id: str) -> None:
    body = {"rule": "star_equal", "column": "expected"}
    seen = client.post(f"/v1/runs/{run_id}/stars/preview", json=body).json()
    assert (seen["num_touched"], seen["num_not_matching"], len(seen["examples"])) == (10, 10, 5)
    assert client.get(f"/v1/runs/{run_id}/stars/counts").json()["starred"] == 0
    assert client.post(f"/v1/runs/{run_id}/stars/apply", json=body).json()["num_touched"] == 10
    assert client.post(f"/v1/runs/{run_id}/stars/undo").json() == {"num_undone": 10}
    assert client.post(f"/v1/runs/{run_id}/stars/undo").status_code in (409, 422)
    assert client.post(f"/v1/runs/{run_id}/stars/apply", json=body).json()["num_touched"] == 10
    counts = client.get(f"/v1/runs/{run_id}/stars/counts").json()
    assert (counts["all"], counts["starred"], counts["unread"]) == (NUM_ROWS, 10, 10)
    wrong = client.post(f"/v1/runs/{run_id}/stars/preview", json={**body, "column": "colour"})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/column-unknown")


def test_the_marks_of_a_run_stand_beside_its_answers(client: TestClient, run_id: str, answers: list[str]) -> None:
    say(client, answers[1], "correct", text="better")
    shown = client.get(f"/v1/runs/{run_id}/answers", params={"filter": "corrected"}).json()["answers"]
    assert [(one["id"], one["mark"]["correction"]) for one in shown] == [(answers[1], "better")]


def test_stars_become_a_training_set_whose_files_have_their_hashes(client: TestClient, run_id: str) -> None:
    star_all(client, run_id)
    made = export(client, format="openai", name="Topics", exam_share=0.25, philosopher="Ada", domain="local")
    assert (made["count"], made["num_learn"], made["num_exam"], made["format"]) == (NUM_ROWS, 15, 5, "openai")
    assert made["path"] == f"training-sets/{made['id']}/learn.jsonl"
    whole = client.get(f"/v1/training-sets/{made['id']}").json()
    hashes = {file["name"]: file["sha256"] for file in whole["manifest"]["files"]}
    for address in whole["files"][:2]:
        file = client.get(address)
        assert file.headers["content-disposition"].startswith("attachment")
        assert hashlib.sha256(file.content).hexdigest() == hashes[address.rsplit("/", 1)[1]]
    assert len(json.loads(client.get(made["file"]).text.splitlines()[0])["messages"]) == 2
    assert client.get("/v1/training-sets").json()["training_sets"][0]["id"] == made["id"]
    assert export(client, format="openai", exam_share=0.25)["id"] == made["id"]


def test_examples_are_paged_side_by_side_with_where_they_come_from(client: TestClient, run_id: str) -> None:
    star_all(client, run_id)
    made = export(client)
    address = f"/v1/training-sets/{made['id']}/rows"
    first = client.get(address, params={"limit": 10}).json()
    rest = client.get(address, params={"after": first["after"]}).json()
    assert len(first["rows"]) + len(rest["rows"]) == made["num_learn"]
    assert len(client.get(address, params={"side": "exam"}).json()["rows"]) == made["num_exam"]
    assert first["rows"][0]["messages"][-1]["content"] == first["rows"][0]["expected"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "no-stars"),
        ({"domain": "elsewhere"}, "no-stars"),
        ({"source": "aristotle"}, "export-not-possible"),
        ({"format": "xml"}, "request-not-understood"),
        ({"exam_share": 1.5}, "request-not-understood"),
        ({"run": "run_x"}, "run-not-found"),
    ],
)
def test_an_export_that_cannot_be_says_the_nearest_reason(
    client: TestClient, answers: list[str], body: dict[str, Any], problem: str
) -> None:
    answer = client.post("/v1/fine-tuning/datasets/export", json=body)
    assert answer.json()["type"] == f"/problems/{problem}"
    assert answer.json()["hint"]


@pytest.mark.parametrize(
    "path", ["set_x", "set_x/rows", "set_x/files/learn.jsonl", "set_x/files/..%2F..%2Fgoldsmith.db"]
)
def test_a_training_set_that_is_not_there_is_a_problem(client: TestClient, path: str) -> None:
    answer = client.get(f"/v1/training-sets/{path}")
    assert answer.status_code in (404, 422)
    assert answer.json()["hint"]


def test_what_a_check_found_is_left_out_of_a_new_set(client: TestClient, run_id: str, answers: list[str]) -> None:
    star_all(client, run_id)
    say(client, answers[0], "correct", text="write to ada@example.org")
    old = export(client)
    assert [line["check"] for line in old["lint"]] == ["personal_data"]
    address = f"/v1/training-sets/{old['id']}/without"
    answer = client.post(address, json={"checks": ["personal_data"], "name": "clean"})
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert (new["name"], new["count"], new["lint"]) == ("clean", old["count"] - 1, [])
    assert answer.headers["location"] == f"/v1/training-sets/{new['id']}"
    refused = client.post(address, json={"checks": ["leaks"]})
    assert (refused.status_code, "personal_data" in refused.text) == (422, True)
