"""Bad input, as a list: each gets a sentence that a person can act on, and nothing of it stays half-written.

The same faults in every format and encoding stand in `tests/unit/data/readers`; faults of machines (a full disk, a port
that is taken, a dead engine, a database that is away) are tested where those parts are.
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import func, select
from starlette.testclient import TestClient
from tests.factories import make_answer, make_base_model, make_dataset_version, make_prompt_version, make_run
from tests.web.conftest import Site
from tests.web.models.factories import make_tuned_model
from tests.web.workers import work_off

from goldsmith.data import queries as data
from goldsmith.data.jobs import ImportKind
from goldsmith.data.tables import Row
from goldsmith.jobs.tables import Job
from goldsmith.web import waiting

IMPORT = ImportKind(memory_limit_bytes=None)
FIFTY_MB = 50_000_000


@pytest.fixture
def client(site: Site, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(waiting, "WAIT_S", 0.0)
    return site.program()


def workbook(*cells: tuple[int, int, str], parts: dict[str, bytes] | None = None) -> bytes:
    """A workbook with texts at (row, column); parts may be replaced."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.xlsx"
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            for row, column, text in cells:
                sheet.write_string(row, column, text)
        content = io.BytesIO()
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, (parts or {}).get(name) or old.read(name))
        return content.getvalue()


def far_cell() -> bytes:
    return workbook((0, 0, "question"), (1_048_575, 16_383, "far away"))


def blown_up() -> bytes:
    sheet = b"<worksheet><sheetData>" + b" " * 150_000_000 + b"</sheetData></worksheet>"
    return workbook((0, 0, "question"), parts={"xl/worksheets/sheet1.xml": sheet})


def jsonl(*lines: str) -> str:
    return "".join(line + "\n" for line in lines)


def rows(num: int) -> list[str]:
    return [json.dumps({"question": f"q{n}"}) for n in range(1, num + 1)]


REFUSED: dict[str, tuple[str, Any, str, str]] = {
    "an empty file": ("a.csv", "", "empty-file", "0 bytes"),
    "a file of blank lines": ("a.csv", "\n\n\n", "empty-file", "blank"),
    "a header without rows": ("a.csv", "question,answer\n", "only-header", "question, answer"),
    "two columns of one name": ("a.csv", "a,a\n1,2\n", "duplicate-columns", "a"),
    "a photo under a name of a table": ("a.csv", b"\x89PNG\r\n\x1a\n", "not-text", "picture"),
    "a file of NUL bytes": ("a.csv", bytes(500), "not-text", "binary"),
    "a web page": ("a.csv", "<!DOCTYPE html><html></html>", "not-rows", "web page"),
    "one JSON object instead of rows": ("a.json", '{\n"a": 1\n}', "not-rows", "one JSON object"),
    "a file in which every row is broken": ("a.jsonl", '{"a": }\n' * 3, "no-good-rows", "line 1"),
    "a single line of 50 MB": (
        "a.jsonl",
        lambda: '{"question": "' + "x" * FIFTY_MB + '"}',
        "no-good-rows",
        "1,000,000",
    ),
    "a spreadsheet with one cell far away": ("a.xlsx", far_cell, "file-too-large", "1,048,576 rows"),
    "a spreadsheet that unpacks to 150 MB": ("a.xlsx", blown_up, "file-too-large", "100,000,000 characters"),
    "an archive under the name of a spreadsheet": ("a.xlsx", b"PK\x03\x04 no", "not-text", "ZIP"),
}

LISTED: dict[str, tuple[str, Any, int, str, int]] = {
    "broken JSON in row 7": ("a.jsonl", jsonl(*rows(6), '{"question": ', *rows(3)), 7, "line 7", 9),
    "a row that is a list": ("a.jsonl", jsonl(*rows(2), "[1]", *rows(1)), 3, "line 3", 3),
    "a NUL byte in a row": ("a.csv", "question\nfine\nba\0d\nfine\n", 2, "NUL", 2),
    "a row with too many cells": ("a.csv", "question,answer\na,b\na,b,c\na,b\n", 2, "3", 2),
    "a line of 50 MB between others": (
        "a.jsonl",
        lambda: jsonl(*rows(1), '{"question": "' + "x" * FIFTY_MB + '"}', *rows(2)),
        2,
        "1,000,000",
        3,
    ),
}

READ: dict[str, tuple[str, bytes, str]] = {
    "UTF-16 with a mark": ("a.csv", "question\nWo ist das Büro?\n".encode("utf-16"), ""),
    "UTF-16 without a mark": ("a.csv", "question\nWo ist das Büro?\n".encode("utf-16-le"), ""),
    "UTF-8 with a mark": ("a.csv", "question\nWo ist das Büro?\n".encode("utf-8-sig"), ""),
    "letters of Western Windows": ("a.csv", "question\nWo ist das Büro?\n".encode("cp1252"), "cp1252"),
    "the line ends of old Macs": ("a.csv", b"question\rWo ist das B\xc3\xbcro?\r", ""),
    "a spreadsheet": ("a.xlsx", workbook((0, 0, "question"), (1, 0, "Wo ist das Büro?")), ""),
}


def content_of(made: Any) -> str | bytes:
    content: str | bytes = made() if callable(made) else made
    return content


def send(client: TestClient, filename: str, content: Any, **fields: str) -> Any:
    answer = client.post("/v1/datasets", files={"file": (filename, content_of(content))}, data=fields)
    assert answer.status_code == 202, answer.text
    return answer.json()


def job_of(site: Site, job_id: str) -> Job:
    with site.database.reading() as session:
        return session.get_one(Job, job_id)


def num(site: Site, table: Any) -> int:
    with site.database.reading() as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(site: Site, client: TestClient, name: str) -> None:
    filename, content, slug, words = REFUSED[name]
    made = send(client, filename, content)
    work_off(site, IMPORT)
    job = job_of(site, made["job_id"])
    assert job.failure is not None
    assert (job.state, job.failure["kind"]) == ("failed", slug), job.failure
    assert words in job.failure["summary"]
    assert job.failure["hint"]
    assert num(site, Row) == 0


@pytest.mark.parametrize("name", LISTED)
def test_a_bad_row_is_listed_and_the_others_come_in(site: Site, client: TestClient, name: str) -> None:
    filename, content, number, words, num_good = LISTED[name]
    made = send(client, filename, content)
    work_off(site, IMPORT)
    version = client.get(f"/v1/datasets/{made['id']}").json()["versions"][0]
    assert (version["num_rows"], version["num_bad_rows"]) == (num_good, 1)
    assert version["bad_rows"][0]["row"] == number
    assert words in version["bad_rows"][0]["reason"]


@pytest.mark.parametrize("name", READ)
def test_a_file_of_another_kind_is_read_as_it_was_meant(site: Site, client: TestClient, name: str) -> None:
    filename, content, encoding = READ[name]
    made = send(client, filename, content, **({"encoding": encoding} if encoding else {}))
    work_off(site, IMPORT)
    found = client.get(f"/v1/datasets/{made['id']}/rows").json()["rows"]
    assert [row["content"] for row in found] == [{"question": "Wo ist das Büro?"}]


def test_wrong_columns_are_named_with_those_that_are_there(site: Site, client: TestClient) -> None:
    made = send(client, "a.csv", "question,label\na,b\n", answer_column="answer", star_answers="false")
    work_off(site, IMPORT)
    failure = job_of(site, made["job_id"]).failure
    assert failure is not None
    assert failure["kind"] == "column-unknown"
    assert "question, label" in failure["summary"]
    assert num(site, Row) == 0


@pytest.fixture
def tickets(site: Site) -> list[str]:
    """Ten answered rows of the dataset `tickets`, and the model `tiny`."""
    with site.database.transaction() as session:
        make_base_model(session, by=site.person)
        contents = [{"question": f"q{n}"} for n in range(10)]
        version = make_dataset_version(session, contents, by=site.person, name="tickets")
        run = make_run(session, version, make_prompt_version(session, by=site.person), by=site.person)
        return [make_answer(session, run, row).id for row in data.rows(session, version.id)]


def refused(client: TestClient, path: str, body: dict[str, Any], *, slug: str, words: Sequence[str]) -> None:
    answer = client.post(path, json=body)
    said = answer.json()
    assert 400 <= answer.status_code < 500, answer.text
    assert said["type"] == f"/problems/{slug}"
    assert said["hint"]
    assert all(word in said["detail"] + said["hint"] for word in words), said


def test_a_prompt_with_an_unknown_variable_starts_nothing(site: Site, client: TestClient, tickets: list[str]) -> None:
    client.post("/v1/prompts", json={"name": "wrong", "template": "{{question}} {{colour}}"})
    num_jobs = num(site, Job)
    body = {"dataset": "tickets", "prompt": "wrong", "model": "tiny"}
    refused(client, "/v1/runs", body, slug="prompt-variable-unknown", words=["{{colour}}", "question"])
    assert num(site, Job) == num_jobs


@pytest.mark.parametrize("template", ["no column at all", "{{question", "{{ }}", "{{question | upper | eval}}", ""])
def test_a_prompt_that_cannot_be_read_is_not_saved(client: TestClient, template: str) -> None:
    answer = client.post("/v1/prompts", json={"name": "wrong", "template": template})
    assert answer.status_code == 422
    assert answer.json()["hint"]
    assert client.get("/v1/prompts").json()["prompts"] == []


@pytest.mark.parametrize("model", ["nobody", "bm_none", "ftm_none", "eng_none", "../etc", "x" * 255])
def test_an_unknown_model_starts_nothing(site: Site, client: TestClient, tickets: list[str], model: str) -> None:
    num_jobs = num(site, Job)
    body = {"dataset": "tickets", "prompt": "a prompt", "model": model}
    slug = "engine-not-found" if model.startswith("eng_") else "model-not-found"
    refused(client, "/v1/runs", body, slug=slug, words=[model])
    training = client.post("/v1/fine-tuning/jobs", json={"base_model": model, "backend": "fake"})
    assert training.status_code == 404
    assert client.post("/v1/models/switch", json={"model_id": model}).status_code == 404
    assert num(site, Job) == num_jobs


def test_without_a_star_there_is_nothing_to_export_or_to_learn(client: TestClient, tickets: list[str]) -> None:
    words = ["None of the 10 answers has a gold star"]
    refused(client, "/v1/fine-tuning/datasets/export", {}, slug="no-stars", words=words)
    body = {"base_model": "tiny", "backend": "fake"}
    refused(client, "/v1/fine-tuning/jobs", body, slug="no-training-set", words=["gold stars", "export"])


def test_one_star_is_a_training_set_without_an_exam_and_says_so(
    site: Site, client: TestClient, tickets: list[str]
) -> None:
    client.post(f"/v1/answers/{tickets[0]}/star")
    made = client.post("/v1/fine-tuning/datasets/export", json={}).json()
    assert (made["num_learn"], made["num_exam"]) == (1, 0)
    assert any("There is no exam: that takes 5 stars, and there are 1." in note for note in made["notes"])
    with site.database.transaction() as session:
        base = make_base_model(session, by=site.person, name="other")
        make_tuned_model(session, base, by=site.person).training_set_id = made["id"]
    refused(client, "/v1/fine-tuning/ab-test", {"models": ["support-1"]}, slug="no-exam", words=["0 exam rows"])
