"""A stand-in for a model hub on loopback: models from bytes, and every way in which a hub can let one down.

    with FakeHub() as hub:
        hub.add("org/small", {"config.json": b"{}", "model.safetensors": weights})
        ...  # HF_ENDPOINT=hub.url

Speaks what `huggingface_hub` asks for: a model's listing, HEAD and GET of a file, pieces of it, and the redirect of
large files to another address. What was asked is kept in `requests`.
"""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

PIECE_BYTES = 65_536
LARGE_BYTES = 1000
"""From here on a file counts as large: it has a SHA-256, and comes from another address."""


@dataclass
class HubFaults:
    """What goes wrong, by file name where it is about files."""

    break_after: dict[str, list[int]] = field(default_factory=dict)
    """For each answer in turn, after how many bytes the connection breaks off; then the file comes whole."""
    wrong_content: dict[str, bytes] = field(default_factory=dict)
    """Bytes that are sent in place of those that are listed."""
    ignores_range: bool = False
    pause_s: float = 0.0
    """How long it rests after every piece of a file: a slow network."""
    statuses: list[int] = field(default_factory=list)
    """What the next answers are, whatever is asked, before it works again."""
    page: bytes | None = None
    """What every address answers with, as a sign-in page before a network does."""
    redirect_to: str | None = None
    """Where large files are sent, instead of the stand-in's own second address."""


@dataclass(frozen=True)
class _Model:
    commit: str
    commits: dict[str, dict[str, bytes]]
    """Every commit's files."""
    is_gated: bool
    is_private: bool

    def commit_at(self, revision: str) -> str | None:
        return self.commit if revision in ("", "main") else revision if revision in self.commits else None


@dataclass(frozen=True)
class HubRequest:
    """Something that was asked."""

    method: str
    path: str
    range: str | None
    authorization: str | None


class FakeHub:
    """Serves until the block ends."""

    def __init__(self, *, token: str = "hf_right") -> None:  # noqa: S107 - the token of a stand-in is no secret
        self.token = token
        self.models: dict[str, _Model] = {}
        self.faults = HubFaults()
        self.requests: list[HubRequest] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "FakeHub":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """What HF_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(self, hub_id: str, files: Mapping[str, bytes], *, is_gated: bool = False, is_private: bool = False) -> str:
        """Offer a model; again with other files: a new commit on `main`. Returns the commit."""
        content = b"".join(name.encode() + data for name, data in sorted(files.items()))
        commit = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        earlier = self.models.get(hub_id)
        commits = {**(earlier.commits if earlier else {}), commit: dict(files)}
        self.models[hub_id] = _Model(commit, commits, is_gated, is_private)
        return commit

    def asked_for(self, name: str) -> list[HubRequest]:
        """The requests for one file, at the address that sends its bytes."""
        return [one for one in self.requests if one.method == "GET" and one.path.endswith("/" + name)]

    def listing(self, hub_id: str, commit: str | None = None) -> dict[str, Any]:
        """The listing of a model at a commit, as the hub writes it."""
        model = self.models[hub_id]
        return {
            "id": hub_id,
            "sha": commit or model.commit,
            "private": model.is_private,
            "gated": "manual" if model.is_gated else False,
            "siblings": [_sibling(name, data) for name, data in model.commits[commit or model.commit].items()],
        }


def _sibling(name: str, data: bytes) -> dict[str, Any]:
    entry = {"rfilename": name, "size": len(data), "blobId": git_hash(data)}
    if len(data) >= LARGE_BYTES:
        entry["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return entry


def git_hash(data: bytes) -> str:
    """The hash that git gives a file."""
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[FakeHub]
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the requests are kept."""

    def do_HEAD(self) -> None:
        self._do()

    def do_GET(self) -> None:
        self._do()

    def _do(self) -> None:
        path = unquote(urlsplit(self.path).path)
        authorization = self.headers.get("authorization")
        self.hub.requests.append(HubRequest(self.command, path, self.headers.get("range"), authorization))
        if self.hub.faults.statuses:
            self._say(self.hub.faults.statuses.pop(0))
        elif self.hub.faults.page is not None:
            self._say(200, self.hub.faults.page)
        elif own := self._own_spelling(path):
            self._say(307, headers={"Location": own})
        elif path.startswith("/api/models/"):
            self._list(path.removeprefix("/api/models/"))
        else:
            self._file(path)

    def _own_spelling(self, path: str) -> str | None:
        """Where a hub id in other letters leads."""
        parts = path.split("/")
        at = 3 if path.startswith("/api/models/") else 1
        asked = "/".join(parts[at : at + 2])
        for hub_id in self.hub.models:
            if hub_id != asked and hub_id.lower() == asked.lower():
                return "/".join([*parts[:at], hub_id, *parts[at + 2 :]]) + "?" + urlsplit(self.path).query
        return None

    def _list(self, asked: str) -> None:
        hub_id, _, revision = asked.partition("/revision/")
        model = self._allowed(hub_id, is_listing=True)
        if model is None:
            return
        commit = model.commit_at(revision)
        if commit is None:
            self._say(404, headers={"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id"})
            return
        body = json.dumps(self.hub.listing(hub_id, commit)).encode()
        self._say(200, body, headers={"Content-Type": "application/json"})

    def _file(self, path: str) -> None:
        is_second = path.startswith("/second-address/")
        org, name, _, revision, *rest = path.removeprefix("/second-address").strip("/").split("/")
        model = self.hub.models.get(f"{org}/{name}") if is_second else self._allowed(f"{org}/{name}")
        if model is None:
            return
        file, commit = "/".join(rest), model.commit_at(revision) or ""
        data = model.commits.get(commit, {}).get(file)
        if data is None:
            self._say(404, headers={"X-Error-Code": "EntryNotFound"})
            return
        headers = {"X-Repo-Commit": commit, "ETag": f'"{git_hash(data)}"', "Accept-Ranges": "bytes"}
        if len(data) >= LARGE_BYTES and not is_second:
            headers |= {"X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
            target = self.hub.faults.redirect_to or f"{self.hub.url}/second-address{path}"
            self._say(302, headers={**headers, "Location": target})
            return
        self._send(file, self.hub.faults.wrong_content.get(file, data), headers)

    def _allowed(self, hub_id: str, *, is_listing: bool = False) -> _Model | None:
        model, authorization = self.hub.models.get(hub_id), self.headers.get("authorization")
        if authorization not in (None, f"Bearer {self.hub.token}"):
            self._say(401, headers={"X-Error-Message": "Invalid credentials in Authorization header"})
        elif model is None or (model.is_private and authorization is None):
            status = 404 if authorization else 401
            self._say(status, headers={"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        elif model.is_gated and authorization is None and not is_listing:
            self._say(
                401, headers={"X-Error-Code": "GatedRepo", "X-Error-Message": f"Access to {hub_id} is restricted."}
            )
        else:
            return model
        return None

    def _send(self, file: str, data: bytes, headers: dict[str, str]) -> None:
        asked = self.headers.get("range")
        begin = 0 if asked is None or self.hub.faults.ignores_range else int(asked.removeprefix("bytes=").split("-")[0])
        if begin >= len(data) > 0:
            self._say(416, headers={"Content-Range": f"bytes */{len(data)}"})
            return
        piece = data[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        for name, value in {**headers, "Content-Length": str(len(piece))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        breaks = self.hub.faults.break_after.get(file)
        if breaks:
            piece = piece[: breaks.pop(0)]
            self.close_connection = True
        for at in range(0, len(piece), PIECE_BYTES):
            self.wfile.write(piece[at : at + PIECE_BYTES])
            time.sleep(self.hub.faults.pause_s)

    def _say(self, status: int, body: bytes = b"", *, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
