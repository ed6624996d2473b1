"""The door: the outermost layer through which every request comes, whatever route it is for. Denies by default.

Host and ambiguous headers first, then the origin, the size, the content type, and who is asking. It decides on the raw
headers and `scope["path"]`, never on a rebuilt URL. Behind it, `scope["state"]` holds `person` and `asker`.
"""

import re
from collections.abc import Mapping

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from goldsmith.errors import GoldsmithError
from goldsmith.people.errors import NotSignedIn
from goldsmith.settings import Settings
from goldsmith.web.elsewhere import Elsewhere, is_preflight
from goldsmith.web.errors import (
    AmbiguousRequest,
    BodyTooLarge,
    ForeignOrigin,
    HostNotAllowed,
    TokenOnlyTells,
    TokenOpensOnlyParts,
    WrongContentType,
)
from goldsmith.web.faces import Face, Faces
from goldsmith.web.problems import problem_of, respond
from goldsmith.web.sign_in import Asker, Askers, CookieJar

MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_UPLOAD_BYTES = 4 * 1024 * 1024 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/hello"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ONCE = frozenset({"host", "content-length", "transfer-encoding", "authorization", "origin", "content-type"})
JSON_TYPES = re.compile(r"application/([a-z0-9.-]+\+)?json|multipart/form-data|application/octet-stream")
HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?")
ORIGIN = re.compile(r"(https?)://([^/]+)")

HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'; base-uri 'self'; "
    "form-action 'self'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def _raw(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.encode("latin-1"): value.encode("latin-1") for name, value in headers.items()}


RAW_HEADERS: Mapping[bytes, bytes] = _raw(HEADERS)


class Door:
    """Lets a request through, or answers it."""

    def __init__(self, app: ASGIApp, *, faces: Faces, askers: Askers, settings: Settings) -> None:
        self._app = app
        self._faces = faces
        self._askers = askers
        self._hosts = LOOPBACK | {host.lower() for host in settings.allowed_hosts}
        self._elsewhere = Elsewhere(faces, settings.embed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, one WebSocket, or the beginning and end of the server's life."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        more: dict[str, str] = {}
        send = _with_headers(send, more)
        try:
            headers = _headers(scope)
            self._check_host(headers)
            more.update(self._elsewhere.headers(scope, headers))
            if self._elsewhere.is_named(scope, headers):
                if is_preflight(scope, headers):
                    await Response(status_code=204)(scope, receive, send)
                    return
            else:
                self._check_origin(scope, headers)
            limit = self._check_body(scope, headers)
            await self._check_person(scope, headers)
        except GoldsmithError as error:
            await _refuse(scope, receive, send, error)
            return
        await self._app(scope, _limited(receive, limit), send)

    def _check_host(self, headers: Mapping[str, str]) -> None:
        host = headers.get("host", "").lower()
        found = HOST.fullmatch(host)
        if found is None or (found[1] not in self._hosts and host not in self._hosts):
            raise HostNotAllowed("These pages are not offered under the host name that was asked for.")

    def _check_origin(self, scope: Scope, headers: Mapping[str, str]) -> None:
        origin = headers.get("origin")
        if origin is not None and not _is_same(origin, headers["host"]):
            raise ForeignOrigin("The request was started by a page of another site.")
        is_navigation = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_navigation:
            raise ForeignOrigin("The request was started by a page of another site.")

    def _check_body(self, scope: Scope, headers: Mapping[str, str]) -> int:
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        limit = MAX_UPLOAD_BYTES if kind == "multipart/form-data" else MAX_BODY_BYTES
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise AmbiguousRequest("Content-Length is not a number.")
        if int(length) > limit:
            raise BodyTooLarge(f"The request has {int(length):,} bytes; at most {limit:,} are taken.")
        has_body = int(length) > 0 or "transfer-encoding" in headers
        if has_body and not JSON_TYPES.fullmatch(kind):
            face = self._faces.of(scope["path"], scope.get("method", "GET"))
            if face in (Face.API, Face.OPENAI, Face.EMBED, Face.HOOK):
                raise WrongContentType(f"The content type is {kind or 'missing'}; the API takes application/json.")
        return limit

    async def _check_person(self, scope: Scope, headers: Mapping[str, str]) -> None:
        asker = await self._asker(scope, headers)
        if asker is not None:
            self._check_token_s_place(scope, asker)
            known = {name: getattr(asker, name) for name in ("person", "holder", "grant", "hook")}
            scope.setdefault("state", {}).update({"asker": asker, **known})
        elif not _is_open(scope):
            raise NotSignedIn("Neither a cookie of this browser nor a key came with the request.")
        if (asker is None or asker.via == "cookie") and _changes_something(scope) and not _is_ours(headers):
            raise ForeignOrigin("The request does not say from which page it comes.")

    async def _asker(self, scope: Scope, headers: Mapping[str, str]) -> Asker | None:
        if "authorization" in headers:
            scheme, _, secret = headers["authorization"].partition(" ")
            return await self._askers.by_secret(secret.strip() if scheme.lower() == "bearer" else "")
        if self._elsewhere.is_named(scope, headers):
            return None  # what a cookie says counts on our own pages alone
        return self._askers.by_cookie(Request(_as_http(scope)).cookies.get(CookieJar.PERSON, ""))

    def _check_token_s_place(self, scope: Scope, asker: Asker) -> None:
        """A token opens what was made for pages of other applications, or for what a source tells, and nothing else."""
        if asker.grant is None and asker.hook is None:
            return
        face = self._faces.of(scope["path"], scope.get("method", "GET"))
        if asker.grant is not None and face is not Face.EMBED:
            raise TokenOpensOnlyParts(
                "A token of another application's page was sent to an address that it does not open."
            )
        if asker.hook is not None and face is not Face.HOOK:
            raise TokenOnlyTells("A source's token was sent to an address that it does not open.")


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        if name in ONCE and name in found:
            raise AmbiguousRequest(f"The header {name.title()} came more than once.")
        found[name] = value.decode("latin-1")
    if "content-length" in found and "transfer-encoding" in found:
        raise AmbiguousRequest("Content-Length and Transfer-Encoding came together.")
    return found


def _is_same(origin: str, host: str) -> bool:
    found = ORIGIN.fullmatch(origin.lower())
    if found is None:
        return False
    default = ":443" if found[1] == "https" else ":80"
    return found[2].removesuffix(default) == host.lower().removesuffix(default)


def _is_ours(headers: Mapping[str, str]) -> bool:
    return "origin" in headers or headers.get("sec-fetch-site") == "same-origin"


def _changes_something(scope: Scope) -> bool:
    return scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS


def _is_open(scope: Scope) -> bool:
    path: str = scope["path"]
    return scope["type"] == "http" and (path in OPEN_PATHS or path.startswith("/static/"))


def _as_http(scope: Scope) -> Scope:
    return {**scope, "type": "http", "method": scope.get("method", "GET")}


def _with_headers(send: Send, more: Mapping[str, str]) -> Send:
    """With what protects every answer; `more` goes before it, and is read when the answer begins."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours = {**RAW_HEADERS, **_raw(more)} if more else RAW_HEADERS
            headers = [(name.lower(), value) for name, value in message.get("headers", ())]
            is_kept_said = any(name == b"cache-control" for name, _ in headers)
            headers = [*(each for each in headers if each[0] not in ours), *ours.items()]
            if not is_kept_said:
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers


def _limited(receive: Receive, limit: int) -> Receive:
    num_bytes = 0

    async def receive_limited() -> Message:
        nonlocal num_bytes
        message = await receive()
        num_bytes += len(message.get("body", b"")) if message["type"] == "http.request" else 0
        if num_bytes > limit:
            raise BodyTooLarge(f"The request has more than {limit:,} bytes; no more are taken.")
        return message

    return receive_limited


async def _refuse(scope: Scope, receive: Receive, send: Send, error: GoldsmithError) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.title})
        return
    response = await run_in_threadpool(respond, Request(scope), problem_of(error))
    await response(scope, receive, send)
