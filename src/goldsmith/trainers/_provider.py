"""Asks a service that speaks OpenAI's API over HTTP: address, key, patience, and what its refusals mean.

The standard library only. Redirects are not followed; the connection goes to the very address that was looked at; rows
go in plain text to no public host. What may have been carried out is never asked a second time here: see `Unclear`.
"""

import http.client
import ipaddress
import json
import random
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from goldsmith.trainers._report import Failure

WITHIN_S = 30.0
UPLOAD_WITHIN_S = 600.0
LONGEST_PAUSE_S = 60.0
LONGEST_RETRY_AFTER_S = 3600.0
MOST_BYTES = 32 * 1024 * 1024
MOST_SHOWN = 300
CHUNK_BYTES = 1024 * 1024
MOST_PAGES = 20
NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
"""Codes of a 429 that no waiting cures."""


class Interrupted(Exception):
    """Somebody asked to stop while it waited."""


class Unclear(Exception):
    """Nobody knows whether the request was carried out: no answer came, or one of an error there."""

    def __init__(self, words: str, retry_after_s: float | None = None) -> None:
        self.words, self.retry_after_s = words, retry_after_s
        super().__init__(words)


class Refused(Exception):
    """It was answered, and refused: `status` and `code` for programs, `words` as the provider wrote them."""

    def __init__(self, status: int, code: str, words: str) -> None:
        self.status, self.code, self.words = status, code, words
        super().__init__(f"{status} {code}: {words}")


class _Away(Exception):
    """Nothing was sent, or it asked to come back later: it may be asked again."""

    def __init__(self, words: str, retry_after_s: float | None = None) -> None:
        self.words, self.retry_after_s = words, retry_after_s
        super().__init__(words)


@dataclass(frozen=True)
class Upload:
    """A file that is sent with what it is for."""

    path: Path
    name: str
    purpose: str = "fine-tune"


class Provider:
    """A provider at an address. `key_file` is read for every request, so a key that was changed is used at once."""

    def __init__(self, url: str, key_file: Path | None, *, should_stop: Callable[[], bool], patience_s: float) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self._is_encrypted = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_encrypted else 80)
        self._root = f"{parts.path.rstrip('/').removesuffix('/v1')}/v1"
        self._netloc = parts.netloc
        self._key_file = key_file
        self._should_stop = should_stop
        self._patience_s = patience_s
        self._is_stopping = False

    def give_up_after(self, seconds: float) -> None:
        """What is asked from now on is how it stops: that waits for nobody else, and not for long."""
        self._is_stopping, self._patience_s = True, seconds

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Read something."""
        return self._patiently("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask for what may be asked twice without harm."""
        return self._patiently("POST", path, body or {})

    def post_once(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for what must not happen twice. Raises Unclear when it may have happened."""
        return self._patiently("POST", path, body, is_harmless=False)

    def upload(self, upload: Upload) -> dict[str, Any]:
        """Send a file."""
        return self._patiently("POST", "/files", upload)

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Everything that a list has, in its order, newest first in all of OpenAI's."""
        after: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = self.get(path, **query, **after)
            found = page.get("data") or []
            yield from found
            if not page.get("has_more") or not found:
                return
            after = {"after": str(found[-1]["id"])}

    def wait(self, seconds: float) -> None:
        """Wait, unless somebody asks to stop. Raises Interrupted."""
        end = time.monotonic() + seconds
        while True:
            if not self._is_stopping and self._should_stop():
                raise Interrupted
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(0.2, left))

    def _patiently(
        self, method: str, path: str, body: Mapping[str, Any] | Upload | None = None, *, is_harmless: bool = True
    ) -> dict[str, Any]:
        """Until it answers, or patience ends. A time that the provider named is kept and takes no patience."""
        began, num_tries, waited_s = time.monotonic(), 0, 0.0
        while True:
            num_tries += 1
            try:
                return self._once(method, path, body)
            except Unclear as unclear:
                if not is_harmless:
                    raise
                words, retry_after_s = unclear.words, unclear.retry_after_s
            except _Away as away:
                words, retry_after_s = away.words, away.retry_after_s
            if time.monotonic() - began - waited_s > self._patience_s:
                hint = "It may go on there. Resume to follow it again, or to cancel it then; nothing is paid twice."
                raise Failure("provider_away", f"{self.host} did not answer for long: {words}", hint)
            longest_s = self._patience_s if self._is_stopping else LONGEST_RETRY_AFTER_S
            named_s = min(retry_after_s or 0.0, longest_s)
            waited_s += 0.0 if self._is_stopping else named_s
            self.wait(named_s or pause_s(num_tries))

    def _once(self, method: str, path: str, body: Mapping[str, Any] | Upload | None) -> dict[str, Any]:
        connection = self._connect(UPLOAD_WITHIN_S if isinstance(body, Upload) else WITHIN_S)
        try:
            headers, content = _written(body)
            connection.request(method, self._root + path, content, {**self._headers(), **headers})
            response = connection.getresponse()
            content_read = response.read(MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise Unclear(f"the connection broke ({type(error).__name__})") from error
        finally:
            connection.close()
        return self._understood(response.status, dict(response.headers), content_read)

    def _connect(self, within_s: float) -> http.client.HTTPConnection:
        """A connection to the address that was looked at, whatever its name means a moment later."""
        connection = http.client.HTTPConnection(self.host, self._port, timeout=within_s)
        try:
            found = socket.getaddrinfo(self.host, self._port, type=socket.SOCK_STREAM)
            ip = self._checked([str(address[0]) for *_, address in found])
            connection.sock = socket.create_connection((ip, self._port), min(10.0, within_s))
            connection.sock.settimeout(within_s)
            if self._is_encrypted:
                context = ssl.create_default_context()
                connection.sock = context.wrap_socket(connection.sock, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            hint = "Check the address under Settings; nothing was sent."
            raise Failure("not_trusted", f"The certificate of {self.host} cannot be trusted.", hint) from error
        except OSError as error:
            raise _Away(f"it cannot be reached ({type(error).__name__})") from error
        return connection

    def _checked(self, ips: list[str]) -> str:
        for text in ips:
            ip = ipaddress.ip_address(text.partition("%")[0])
            mapped = getattr(ip, "ipv4_mapped", None) or ip
            if mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified:
                said = f"{self.host} is at {text}, where no provider can be."
                raise Failure("address_not_allowed", said, "Check the address under Settings.")
            if not self._is_encrypted and mapped.is_global:
                said = f"The address of {self.host} begins with http, so everybody on the way could read the rows."
                raise Failure("address_not_allowed", said, "Add the provider again, with https.")
        return ips[0]

    def _headers(self) -> dict[str, str]:
        key = self._key()
        own = {"Host": self._netloc, "User-Agent": "Goldsmith", "Accept": "application/json"}
        return {**own, "Authorization": f"Bearer {key}"} if key else own

    def _key(self) -> str:
        if self._key_file is None or not self._key_file.exists():
            return ""
        return self._key_file.read_text(encoding="ascii").strip()

    def _understood(self, status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
        body = _json(content)
        if 200 <= status < 300 and body is not None:
            return body
        if status < 400:
            said = f"{self.host} answered with status {status}, and not as OpenAI's API does."
            raise Failure("not_a_provider", said, "Check the address under Settings; redirects are not followed.")
        error = body.get("error") if body is not None else None
        told: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error or ""}
        words = self._clean(str(told.get("message") or f"status {status}"))
        code = str(told.get("code") or told.get("type") or "")
        later = retry_after_s(headers)
        if status == 429 and code not in NO_CREDIT:
            raise _Away(words, later)
        if status >= 500 or status == 408:
            raise Unclear(words, later)
        raise Refused(status, code, words)

    def _clean(self, words: str) -> str:
        """What it wrote, without our key and without signs that a terminal would obey."""
        key = self._key()
        words = words.replace(key, "***") if key else words
        return "".join(sign if sign.isprintable() else " " for sign in words)[:MOST_SHOWN]


def pause_s(num_tries: int) -> float:
    """How long to wait before the next try; not all at once."""
    grown = min(LONGEST_PAUSE_S, 0.5 * 2 ** (num_tries - 1))
    return grown * random.uniform(0.5, 1.0)  # noqa: S311 - a pause, not a secret


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The time to wait that an answer names, in seconds or as a date."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _json(content: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _written(body: Mapping[str, Any] | Upload | None) -> tuple[dict[str, str], Any]:
    """Headers and content of a request."""
    if body is None:
        return {}, None
    if not isinstance(body, Upload):
        return {"Content-Type": "application/json"}, json.dumps(body).encode()
    border = f"goldsmith{random.getrandbits(128):032x}"
    head = (
        f'--{border}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{body.purpose}\r\n'
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{body.name}"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    ).encode()
    tail = f"\r\n--{border}--\r\n".encode()
    size = len(head) + body.path.stat().st_size + len(tail)
    headers = {"Content-Type": f"multipart/form-data; boundary={border}", "Content-Length": str(size)}
    return headers, _parts(head, body.path, tail)


def _parts(head: bytes, path: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
    yield tail
