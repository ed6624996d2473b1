"""A Label Studio that knows as much of its API as we use. What it answers has the form that a real one's answers had.

`label_studio_recorded.json` holds answers of Label Studio 1.23.2; here they are filled with other ids and texts.
`tests/real/test_label_studio.py` asks a real one.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("label_studio_recorded.json").read_text())
TOKEN = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.LMRVQr2M"
ACCESS = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.cyIVl1kg"
PROJECT = 7


class Studio:
    """One project, and what was asked of it."""

    def __init__(self) -> None:
        self.url = ""
        self.tasks: dict[int, dict[str, Any]] = {}
        self.webhooks: dict[int, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.troubles: list[int] = []
        """Statuses with which the next questions are answered."""
        self.is_access_good = True
        self.takes_private_addresses = True
        self.loses_answers_of = ""
        """Does what this method asks for, and then says that it could not."""
        self._last = 0

    def next_number(self) -> int:
        self._last += 1
        return self._last

    def put(self, task_id: int, **data: Any) -> None:
        """A task; what is there already and is the same stays untouched."""
        old = self.tasks.get(task_id)
        if old is None:
            made = {**RECORDED["tasks"]["tasks"][0], "id": task_id, "annotations": [], "predictions": [], "data": data}
            self.tasks[task_id] = made
        elif old["data"] == data:
            return
        self.tasks[task_id]["data"] = data
        self.touch(task_id)

    def annotate(self, task_id: int, reply: str, *, rating: int | None = None, **more: Any) -> int:
        """Somebody submits an annotation."""
        form = RECORDED["tasks"]["tasks"][0]["annotations"][0]
        result = [{"from_name": "reply", "to_name": "q", "type": "textarea", "value": {"text": [reply]}}]
        if rating is not None:
            result.append({"from_name": "quality", "to_name": "q", "type": "rating", "value": {"rating": rating}})
        made = {**form, "id": self.next_number(), "result": result, "task": task_id, **more}
        self.tasks[task_id]["annotations"].append(made)
        self.touch(task_id)
        return int(made["id"])

    def touch(self, task_id: int) -> None:
        self.tasks[task_id]["updated_at"] = f"2026-11-27T20:50:{self.next_number():012.6f}Z"

    def predictions(self, task_id: int) -> list[tuple[str, str]]:
        """Of a task: under which name which text."""
        found = self.tasks[task_id]["predictions"]
        return [(each["model_version"], each["result"][0]["value"]["text"][0]) for each in found]


class _Answers(BaseHTTPRequestHandler):
    studio: Studio

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, method: str) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"null")
        self.studio.asked.append(f"{method} {parts.path}")
        if self.studio.troubles:
            self._say(self.studio.troubles.pop(0), {})
            return
        if parts.path == "/api/token/refresh/":
            self.studio.is_access_good = True
            good = body == {"refresh": PERSONAL}
            self._say(200 if good else 401, {"access": ACCESS} if good else RECORDED["wrong token"])
            return
        sent = self.headers.get("authorization")
        is_known = sent == f"Token {TOKEN}" or (sent == f"Bearer {ACCESS}" and self.studio.is_access_good)
        if not is_known:
            self._say(401, RECORDED["wrong token"])
            return
        status, found = self._found(method, parts.path.strip("/").split("/")[1:], query, body)
        self._say(503 if method == self.studio.loses_answers_of else status, found)

    def _found(self, method: str, path: list[str], query: dict[str, str], body: Any) -> tuple[int, Any]:
        studio, missing = self.studio, (404, RECORDED["no such project"])
        match method, path:
            case "GET", ["projects", number]:
                facts = {**RECORDED["project"], "id": PROJECT, "task_number": len(studio.tasks)}
                return (200, facts) if number == str(PROJECT) else missing
            case "POST", ["projects", number, "import", "predictions"] if number == str(PROJECT):
                return 201, {"created": sum(map(self._predict, body))}
            case "GET", ["tasks"]:
                return self._tasks(query) if query.get("project") == str(PROJECT) else missing
            case "DELETE", ["predictions", number]:
                return self._unpredict(int(number))
            case "GET", ["webhooks"]:
                return 200, list(studio.webhooks.values())
            case "POST", ["webhooks"] if not studio.takes_private_addresses:
                return 403, {"detail": "URL resolves to a reserved network address (block: 127.0.0.0/8)"}
            case "POST", ["webhooks"]:
                made = {**RECORDED["webhook"], **body, "id": studio.next_number()}
                studio.webhooks[made["id"]] = made
                return 201, made
            case "DELETE", ["webhooks", number] if int(number) in studio.webhooks:
                return 204, studio.webhooks.pop(int(number)) and None
        return missing

    def _tasks(self, query: dict[str, str]) -> tuple[int, Any]:
        asked = json.loads(query.get("query", "{}"))
        found = [self.studio.tasks[key] for key in sorted(self.studio.tasks)]
        if "filters" in asked:
            span = asked["filters"]["items"][0]["value"]
            found = [task for task in found if span["min"] <= task["id"] <= span["max"]]
        if "selectedItems" in asked:
            found = [task for task in found if task["id"] in asked["selectedItems"]["included"]]
        size, number = int(query["page_size"]), int(query["page"])
        page = found[(number - 1) * size : number * size]
        if number > 1 and not page:
            return 404, RECORDED["page too far"]
        for task in page:
            task["total_annotations"] = len(task["annotations"])
        names = query["include"].split(",") if "include" in query else None
        shown = [{name: task[name] for name in names} if names else task for task in page]
        return 200, {**RECORDED["tasks"], "total": len(found), "tasks": shown}

    def _predict(self, sent: dict[str, Any]) -> bool:
        form = RECORDED["tasks"]["tasks"][0]["predictions"][0]
        task = self.studio.tasks[sent["task"]]
        task["predictions"].append({**form, **sent, "id": self.studio.next_number()})
        return True

    def _unpredict(self, number: int) -> tuple[int, Any]:
        for task in self.studio.tasks.values():
            if any(each["id"] == number for each in task["predictions"]):
                task["predictions"] = [each for each in task["predictions"] if each["id"] != number]
                self.studio.touch(task["id"])
                return 204, None
        return 404, RECORDED["no such project"]

    def _say(self, status: int, found: Any) -> None:
        content = b"" if found is None else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving() -> Iterator[Studio]:
    """One behind an address of this machine."""
    studio = Studio()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answers", (_Answers,), {"studio": studio}))
    studio.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield studio
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
