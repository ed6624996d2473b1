"""The API over datasets, through HTTP, with real imports."""

import json

import pytest
from starlette.testclient import TestClient
from tests.web.conftest import Site
from tests.web.workers import work_off, working

from goldsmith.data.jobs import ImportKind
from goldsmith.stars.jobs import ImportedAnswersKind
from goldsmith.web import waiting

CSV = "question,expected\nWhere is my card?,delivery\nI want a refund,refund\n"
IMPORT = ImportKind(memory_limit_bytes=None)


@pytest.fixture
def client(site: Site, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)
    return site.program()


def send_csv(client: TestClient, text: str = CSV, **fields: str) -> dict[str, object]:
    answer = client.post("/v1/datasets", files={"file": ("tickets.csv", text)}, data=fields)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def test_a_file_that_is_imported_within_the_wait_is_answered_with_201(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "WAIT_S", 10.0)
    with working(site, IMPORT):
        answer = site.program().post("/v1/datasets", files={"file": ("tickets.csv", CSV)}, data={"name": "Tickets"})
    assert answer.status_code == 201
    said = answer.json()
    assert (said["name"], said["state"], said["version"]["num_rows"]) == ("Tickets", "succeeded", 2)
    assert said["version"]["columns"] == ["question", "expected"]
    assert answer.headers["location"] == f"/v1/datasets/{said['id']}"


def test_a_file_that_cannot_be_imported_is_a_problem_that_says_why(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "WAIT_S", 10.0)
    with working(site, IMPORT):
        answer = site.program().post("/v1/datasets", files={"file": ("empty.csv", "")})
    assert answer.status_code == 422
    said = answer.json()
    assert (said["type"], said["instance"]) == ("/problems/empty-file", "/v1/datasets")
    assert said["hint"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_import_under_way_is_202_with_the_job_to_watch(site: Site, client: TestClient) -> None:
    answer = client.post("/v1/datasets", files={"file": ("tickets.csv", CSV)})
    assert answer.status_code == 202
    assert answer.json()["state"] == "queued"
    assert client.get(answer.headers["location"]).json()["kind"] == "import"
    work_off(site, IMPORT)
    assert client.get(answer.headers["location"]).json()["state"] == "succeeded"
    assert client.get(f"/v1/datasets/{answer.json()['id']}").json()["versions"][0]["is_complete"]


@pytest.mark.parametrize(
    "body",
    [
        {"rows": [{"question": "Where is my card?", "n": 1}, {"question": "Hello", "n": 2}]},
        {"text": "question,n\nWhere is my card?,1\nHello,2\n"},
    ],
)
def test_rows_and_pasted_text_come_as_json(site: Site, client: TestClient, body: dict[str, object]) -> None:
    made = client.post("/v1/datasets", json={"name": "Pasted", **body}).json()
    work_off(site, IMPORT)
    rows = client.get(f"/v1/datasets/{made['id']}/rows").json()
    assert [row["content"]["question"] for row in rows["rows"]] == ["Where is my card?", "Hello"]
    assert rows["after"] == 2


def test_rows_are_paged_by_their_place(site: Site, client: TestClient) -> None:
    made = send_csv(client)
    work_off(site, IMPORT)
    first = client.get(f"/v1/datasets/{made['id']}/rows", params={"limit": 1}).json()
    rest = client.get(f"/v1/datasets/{made['id']}/rows", params={"after": first["after"]}).json()
    assert [row["position"] for row in first["rows"] + rest["rows"]] == [1, 2]


def test_good_answers_that_come_with_a_file_become_stars(site: Site, client: TestClient) -> None:
    made = send_csv(client, answer_column="expected")
    assert work_off(site, IMPORT, ImportedAnswersKind()) == [made["job_id"], made["stars_job_id"]]
    run = client.get("/v1/runs", params={"kind": "imported"}).json()["runs"][0]
    assert client.get(f"/v1/runs/{run['id']}/stars/counts").json()["starred"] == 2
    assert send_csv(client, answer_column="expected", star_answers="false")["stars_job_id"] is None


def test_a_next_version_leaves_the_first_as_it_was(site: Site, client: TestClient) -> None:
    made = send_csv(client, name="Tickets")
    work_off(site, IMPORT)
    second = client.post("/v1/datasets", json={"dataset": "Tickets", "text": "question\nNew\n"}).json()
    assert second["id"] == made["id"]
    work_off(site, IMPORT)
    versions = client.get("/v1/datasets/Tickets").json()["versions"]
    assert [version["num_rows"] for version in versions] == [1, 2]
    old = client.get("/v1/datasets/Tickets/rows", params={"version": versions[1]["id"]}).json()["rows"]
    assert len(old) == 2


def test_bad_rows_are_listed_with_their_place(site: Site, client: TestClient) -> None:
    made = client.post("/v1/datasets", json={"text": '{"q": "a"}\n{"q": \n{"q": "c"}\n', "format": "jsonl"}).json()
    work_off(site, IMPORT)
    version = client.get(f"/v1/datasets/{made['id']}").json()["versions"][0]
    assert (version["num_rows"], version["num_bad_rows"]) == (2, 1)
    assert version["bad_rows"][0]["row"] == 2


def test_a_preview_imports_nothing_and_its_file_need_not_be_sent_again(site: Site, client: TestClient) -> None:
    seen = client.post("/v1/datasets/preview", files={"file": ("tickets.csv", CSV)}, params={"num_rows": 1}).json()
    assert (seen["columns"], seen["roles"]["answer"]) == (["question", "expected"], "expected")
    assert seen["rows"][0]["values"] == {"question": "Where is my card?", "expected": "delivery"}
    assert (len(seen["rows"]), seen["is_whole_file"]) == (1, False)
    assert client.get("/v1/datasets").json()["datasets"] == []
    made = client.post("/v1/datasets", json={"upload": seen["upload"], "filename": seen["filename"]}).json()
    work_off(site, IMPORT)
    assert client.get(f"/v1/datasets/{made['id']}").json()["versions"][0]["num_rows"] == 2


def test_a_preview_of_what_cannot_be_read_says_why(client: TestClient) -> None:
    answer = client.post("/v1/datasets/preview", files={"file": ("photo.png", b"\x89PNG\r\n")})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/not-text")
    assert answer.json()["hint"]


def test_a_deleted_dataset_can_be_had_back(site: Site, client: TestClient) -> None:
    made = send_csv(client)
    work_off(site, IMPORT)
    gone = client.delete(f"/v1/datasets/{made['id']}").json()
    assert client.get(f"/v1/datasets/{made['id']}").status_code == 404
    assert client.get("/v1/datasets").json()["datasets"] == []
    assert client.post(gone["restore"]).status_code == 200
    assert client.get("/v1/datasets").json()["datasets"][0]["version"]["num_rows"] == 2


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body"),
        ({"rows": [], "text": "x"}, "body"),
        ({"text": "x", "colour": "red"}, "colour (body)"),
        ({"upload": "../../etc/passwd"}, "upload (body)"),
        ({"text": "x", "name": "a\x00b"}, "name (body)"),
    ],
)
def test_a_body_that_cannot_be_used_names_what_is_wrong(
    client: TestClient, body: dict[str, object], where: str
) -> None:
    for path in ("/v1/datasets", "/v1/datasets/preview"):
        answer = client.post(path, json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["where"] == where
        assert answer.json()["hint"]


def test_broken_json_and_an_upload_that_nobody_made_are_told(client: TestClient) -> None:
    answer = client.post("/v1/datasets", content=b'{"rows": [', headers={"content-type": "application/json"})
    assert answer.status_code == 422
    answer = client.post("/v1/datasets", json={"upload": "0" * 64})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/upload-not-found")


def test_both_ways_of_sending_rows_are_described(client: TestClient) -> None:
    described = client.get("/v1/openapi.json").json()["paths"]["/v1/datasets"]["post"]["requestBody"]["content"]
    assert set(described) == {"application/json", "multipart/form-data"}
    assert "rows" in json.dumps(described["application/json"])
