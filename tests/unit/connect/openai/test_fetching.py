"""Everything of an account comes into a folder once; what breaks off goes on, and the key goes nowhere else."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.unit.connect.openai.conftest import EVAL, JOB, ROWS, RUN, chat, completion

from goldsmith.connect.openai import objects, planning
from goldsmith.connect.openai.errors import AccountNotReached, AccountRefused
from goldsmith.connect.openai.fetching import Account, fetch
from goldsmith.connect.openai.types import PartKind
from goldsmith.data.types import Upload

KEY = "sk-secret"
FILES = [
    {"id": "file-a", "filename": "../cards train.jsonl", "purpose": "fine-tune"},
    {"id": "file-b", "filename": "held-back.jsonl", "purpose": "fine-tune"},
    {"id": "file-c", "filename": "photo.png", "purpose": "vision"},
    {"id": "file-gone", "filename": "gone.jsonl", "purpose": "batch"},
]
OUTPUT = [{"object": "eval.run.output_item", "id": f"out_{n}", "datasource_item": row} for n, row in enumerate(ROWS)]
LISTS: dict[str, list[dict[str, Any]]] = {
    "/fine_tuning/jobs": [JOB],
    "/files": FILES,
    "/evals": [EVAL],
    "/evals/eval_1/runs": [RUN],
    "/evals/eval_1/runs/evalrun_1/output_items": OUTPUT,
    "/chat/completions": [completion(f"c{number}", "said") for number in range(5)],
    **{f"/chat/completions/c{number}/messages": [{"id": "m", "role": "user", "content": "q"}] for number in range(5)},
}
CONTENT = {f"/files/{name}/content": json.dumps(chat(name, "a")).encode() for name in ("file-a", "file-b")}


class Service(ThreadingHTTPServer):
    """Lists in pages of two, and faults to be given before the next answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lists = dict(LISTS)
        self.faults: list[int] = []
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/v1")
        self.server.asked.append(path)
        if self.headers["authorization"] != f"Bearer {KEY}":
            self._say(401, {"error": {"message": "Incorrect API key provided"}})
        elif self.server.faults:
            self._say(self.server.faults.pop(0), {"error": {"message": "try later"}})
        elif path in CONTENT:
            self._send(200, CONTENT[path])
        elif path in self.server.lists:
            self._say(200, self._page(self.server.lists[path], parse_qs(parts.query).get("after", [""])[0]))
        else:
            self._say(404, {"error": {"message": "no such thing"}})

    def _page(self, found: list[dict[str, Any]], after: str) -> dict[str, Any]:
        ids = [each["id"] for each in found]
        start = ids.index(after) + 1 if after else 0
        return {"object": "list", "data": found[start : start + 2], "has_more": start + 2 < len(found)}

    def _say(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetched(service: Service, folder: Path, key: str = KEY) -> list[str]:
    with Account(service.url, key, wait=lambda _: None) as account:
        return list(fetch(account, folder))


def test_what_comes_can_be_brought_in_whole(service: Service, tmp_path: Path) -> None:
    said = fetched(service, tmp_path)
    assert "file-gone__gone.jsonl: its content is gone there" in said
    assert "stored completions: 5 (stored_completions.jsonl)" in said
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "eval_1_eval.jsonl",
        "eval_1_output.jsonl",
        "eval_1_runs.jsonl",
        "file-a___cards_train.jsonl",
        "file-b__held-back.jsonl",
        "fine_tuning_jobs.jsonl",
        "stored_completions.jsonl",
    ]
    uploads = {Upload(name, name, 1): tmp_path / name for name in names}
    plan = planning.plan(list(uploads), uploads.__getitem__)
    assert [part.kind for part in plan.parts] == [PartKind.LESSON, PartKind.EXAM, PartKind.ANSWERS]
    assert set(plan.parts[0].files) == {"learn", "exam"}
    assert plan.unused == ()


def test_what_is_there_is_not_fetched_again(service: Service, tmp_path: Path) -> None:
    fetched(service, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    service.asked.clear()
    fetched(service, tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert [path for path in service.asked if "content" in path or "messages" in path] == ["/files/file-gone/content"]


def test_a_list_comes_whole_page_after_page(service: Service, tmp_path: Path) -> None:
    fetched(service, tmp_path)
    rows = list(objects.objects(tmp_path / "eval_1_output.jsonl"))
    assert [row["id"] for row in rows] == [item["id"] for item in OUTPUT]


def test_a_service_that_is_busy_is_asked_again(service: Service, tmp_path: Path) -> None:
    service.faults = [429, 503, 500]
    assert "fine-tuning jobs: 1 (fine_tuning_jobs.jsonl)" in fetched(service, tmp_path)


def test_a_service_that_stays_busy_is_given_up_and_nothing_half_stays(service: Service, tmp_path: Path) -> None:
    service.faults = [500] * 50
    with pytest.raises(AccountNotReached, match="500 try later"):
        fetched(service, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_lacks_a_list_gives_the_others(service: Service, tmp_path: Path) -> None:
    del service.lists["/evals"], service.lists["/chat/completions"]
    said = fetched(service, tmp_path)
    assert "evals: the service keeps none" in said
    assert "stored completions: the service keeps none" in said
    assert (tmp_path / "file-b__held-back.jsonl").exists()


def test_a_wrong_key_is_told_as_one_and_never_shown(service: Service, tmp_path: Path) -> None:
    with pytest.raises(AccountRefused, match="Incorrect API key") as refused:
        fetched(service, tmp_path, key="sk-wrong")
    assert "sk-wrong" not in str(refused.value)


def test_nobody_there_is_said(tmp_path: Path) -> None:
    account = Account("http://127.0.0.1:9/v1", KEY, wait=lambda _: None)
    with account, pytest.raises(AccountNotReached, match="ConnectError"):
        list(fetch(account, tmp_path))
