"""A stand-in for a provider that trains: OpenAI's files and fine-tuning jobs on loopback, and how one can let us down.

    with FakeProvider() as provider:
        ...  # provider.url, provider.key; a job does one step whenever it is looked at
        provider.faults.append(Fault("POST", "/fine_tuning/jobs", status=500, is_done=True))

What was begun stands in `jobs`, what was sent in `files`, every request in `asked`. Shapes as OpenAI's API has them.
"""

import itertools
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

_JOB = re.compile(r"/fine_tuning/jobs/(?P<id>[^/]+)(?:/(?P<what>\w+))?")
_NAME = re.compile(rb'name="file"; filename="([^"]*)"')


@dataclass
class Fault:
    """How the next request to this path is answered. `is_done`: it is carried out all the same."""

    method: str
    path: str
    status: int = 500
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_done: bool = False
    breaks_off: bool = False
    """Nothing is answered at all."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    provider: "FakeProvider"


class FakeProvider:
    """A provider whose jobs do one step whenever somebody looks at them."""

    def __init__(self, *, key: str = "sk-test", num_steps: int = 4, step_s: float = 0.0) -> None:
        self.key, self.num_steps, self.step_s = key, num_steps, step_s
        self.files: dict[str, tuple[str, bytes]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, str, float]] = []
        """Method, path and when."""
        self.faults: list[Fault] = []
        self.lists_jobs = True
        self.can_pause = True
        self.lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "FakeProvider":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address, as a person would write it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def begun(self) -> list[dict[str, Any]]:
        """Every job that was ever begun: each would have its price."""
        return list(self.jobs.values())

    def answer(self, method: str, path: str, query: Mapping[str, str], content: bytes) -> tuple[int, dict[str, Any]]:
        """What an honest provider answers."""
        with self.lock:
            if path == "/files":
                return self._files(method, content, query)
            if path == "/fine_tuning/jobs":
                return self._begin(json.loads(content)) if method == "POST" else self._list(query)
            if path == "/chat/completions":
                return self._chat(json.loads(content))
            found = _JOB.fullmatch(path)
            if found is None or found["id"] not in self.jobs:
                return 404, error("No such thing.", "not_found")
            return self._job(method, found["id"], found["what"] or "", query)

    def _files(self, method: str, content: bytes, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        if method == "POST":
            named = _NAME.search(content)
            border = content.split(b"\r\n", 1)[0]
            body = content.split(named.group(0), 1)[1].split(b"\r\n\r\n", 1)[1] if named else b""
            file_id = f"file-{next(self._numbers)}"
            self.files[file_id] = (
                named.group(1).decode() if named else "",
                body.removesuffix(b"\r\n" + border + b"--\r\n"),
            )
            return 200, self._file(file_id)
        return 200, page([self._file(each) for each in reversed(self.files)], query)

    def _file(self, file_id: str) -> dict[str, Any]:
        name, body = self.files[file_id]
        known = {"id": file_id, "object": "file", "filename": name, "bytes": len(body), "created_at": int(time.time())}
        return {**known, "purpose": "fine-tune", "status": "processed"}

    def _begin(self, wish: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if wish["training_file"] not in self.files:
            return 400, error("There is no such training file.", "invalid_request_error")
        job_id = f"ftjob-{next(self._numbers)}"
        self.jobs[job_id] = {
            "id": job_id,
            "object": "fine_tuning.job",
            "created_at": int(time.time()),
            "finished_at": None,
            "status": "queued",
            "fine_tuned_model": None,
            "trained_tokens": None,
            "error": None,
            "step": 0,
            "is_paused": False,
            **wish,
        }
        self.events[job_id] = []
        self._say(job_id, "Created fine-tuning job")
        return 200, self.jobs[job_id]

    def _list(self, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        if not self.lists_jobs:
            return 404, error("Unknown request URL.", "unknown_url")
        return 200, page(list(reversed(self.jobs.values())), query)

    def _job(self, method: str, job_id: str, what: str, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        job = self.jobs[job_id]
        if what == "events":
            return 200, page(list(reversed(self.events[job_id])), query)
        if what == "checkpoints":
            return 200, page([self._checkpoint(job)] if job["step"] else [], query)
        if what == "cancel":
            if job["status"] in ("succeeded", "failed", "cancelled"):
                return 400, error("The job is over already.", "invalid_request_error")
            job["status"] = "cancelled"
        elif what in ("pause", "resume"):
            if not self.can_pause:
                return 404, error("Unknown request URL.", "unknown_url")
            job["is_paused"] = what == "pause"
        elif method == "GET":
            self._step(job)
        return 200, job

    def _step(self, job: dict[str, Any]) -> None:
        if job["status"] not in ("queued", "running") or job["is_paused"]:
            return
        time.sleep(self.step_s)
        job["status"], job["step"] = "running", job["step"] + 1
        step, total = job["step"], self.num_steps
        data: dict[str, Any] = {"step": step, "total_steps": total, "train_loss": round(3.0 / step, 4)}
        if step == total and job.get("validation_file"):
            data["full_valid_loss"] = round(3.3 / step, 4)
        self._say(job["id"], f"Step {step}/{total}: training loss={data['train_loss']}", data)
        if step == total:
            name = f"ft:{job['model']}:goldsmith:{job.get('suffix') or ''}:{job['id']}"
            job.update(status="succeeded", finished_at=int(time.time()) + 1, fine_tuned_model=name, trained_tokens=1234)
            self._say(job["id"], "The job has successfully completed")

    def _checkpoint(self, job: dict[str, Any]) -> dict[str, Any]:
        name = f"{job['fine_tuned_model']}:ckpt-step-{job['step']}"
        return {"id": f"ftckpt-{job['id']}", "fine_tuned_model_checkpoint": name, "step_number": job["step"]}

    def _say(self, job_id: str, message: str, data: dict[str, Any] | None = None) -> None:
        kind = "metrics" if data else "message"
        event = {
            "id": f"ftevent-{next(self._numbers)}",
            "level": "info",
            "message": message,
            "type": kind,
            "data": data,
        }
        self.events[job_id].append({"object": "fine_tuning.job.event", "created_at": int(time.time()), **event})

    def _chat(self, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """A base model that knows nothing; one that was trained answers as its training file does, where it can."""
        trained = next((job for job in self.jobs.values() if job["fine_tuned_model"] == body["model"]), None)
        text = self._learned(trained, body["messages"]) if trained is not None else "I do not know."
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 8, "completion_tokens": 4, "total_tokens": 12}
        return 200, {
            "id": "chat-1",
            "object": "chat.completion",
            "choices": [choice],
            "usage": usage,
            "model": body["model"],
        }

    def _learned(self, job: Mapping[str, Any], asked: list[dict[str, str]]) -> str:
        names = [job["training_file"], job.get("validation_file")]
        for line in b"\n".join(self.files[name][1] for name in names if name).splitlines():
            *question, answer = json.loads(line)["messages"]
            if question == asked:
                return str(answer["content"])
        return "I do not know."


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Read something."""
        self._answer("GET")

    def do_POST(self) -> None:
        """Ask for something."""
        self._answer("POST")

    def _answer(self, method: str) -> None:
        provider, parts = self.server.provider, urlsplit(self.path)
        path = parts.path.removeprefix("/v1")
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with provider.lock:
            provider.asked.append((method, path, time.monotonic()))
            fault = next((each for each in provider.faults if (each.method, each.path) == (method, path)), None)
            if fault is not None:
                provider.faults.remove(fault)
        if self.headers.get("Authorization") != f"Bearer {provider.key}":
            self._send(
                401, error(f"Incorrect API key provided: {self.headers.get('Authorization')}", "invalid_api_key")
            )
            return
        if fault is None or fault.is_done:
            status, body = provider.answer(method, path, query, content)
        if fault is None:
            self._send(status, body)
        elif not fault.breaks_off:
            self._send(fault.status, fault.body, fault.headers)

    def _send(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library gives it
        """Say nothing."""


def page(found: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """A part of a list, as OpenAI's API cuts it."""
    ids = [each["id"] for each in found]
    start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
    size = int(query.get("limit", 20))
    return {"object": "list", "data": found[start : start + size], "has_more": len(found) > start + size}


def error(message: str, code: str) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
