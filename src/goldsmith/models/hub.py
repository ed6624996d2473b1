"""A model hub over HTTP: what a model consists of, and its files, each continued where it broke off.

Speaks the three requests of the Hugging Face hub that are needed here: what a model holds at a commit, a file of it,
and the rest of a file. Every file is held against the size and the hash that the hub lists before it gets its name.
Knows no table and no job. Why this is not `huggingface_hub`: docs/decisions/0007-our-own-client-for-the-hub.md.
"""

import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, urljoin, urlsplit

import httpx2

from goldsmith.models import hub_listing
from goldsmith.models.errors import HubAccessDenied, HubDoesNotAnswer, HubFileDamaged, HubModelNotFound, HubOffline
from goldsmith.models.hub_access import TOKEN_COMMAND, HubAccess
from goldsmith.models.hub_listing import HubFile, HubModel, part_of

NUM_TRIES = 5
"""How often in a row nothing may come before the hub counts as silent; every byte that comes starts the count anew."""
NUM_REDIRECTS = 5
CHUNK_BYTES = 256 * 1024
TIMEOUT = httpx2.Timeout(10.0, read=30.0)
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})


class _BrokenOff(Exception):
    """The answer ended early, or the hub asks to come back later; what came is kept."""


class Hub:
    """A connection to one hub: `with Hub(access) as hub`. Raises HubOffline when none may be asked."""

    def __init__(self, access: HubAccess, *, wait: Callable[[float], None] = time.sleep) -> None:
        if access.is_offline:
            raise HubOffline("Goldsmith is set never to ask a model hub (GOLDSMITH_HUB_OFFLINE or HF_HUB_OFFLINE).")
        for name in ("httpx2", "httpcore2"):  # they log whole addresses, and signed ones are secrets
            logging.getLogger(name).setLevel(logging.WARNING)
        self._access = access
        self._wait = wait
        # Compressed answers would have other sizes than the hub lists, and could not be continued.
        headers = {"user-agent": "goldsmith", "accept-encoding": "identity"}
        self._client = httpx2.Client(timeout=TIMEOUT, headers=headers)

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def look(self, hub_id: str, revision: str | None = None) -> HubModel:
        """What the model holds, pinned to a commit. Raises what the hub's refusal means."""
        at = f"/revision/{quote(revision, safe='')}" if revision else ""
        url = f"{self._access.endpoint}/api/models/{quote(hub_id)}{at}?blobs=true"
        num_tries = 0
        while True:
            try:
                with self._answer(url, hub_id) as response:
                    return hub_listing.read(hub_id, response.iter_bytes())
            except (httpx2.RequestError, _BrokenOff) as error:
                num_tries += 1
                self._pause(num_tries, error)

    def fetch(
        self,
        model: HubModel,
        file: HubFile,
        target: Path,
        *,
        on_bytes: Callable[[int], None],
        should_stop: Callable[[], bool],
    ) -> bool:
        """Bring a file under `target`, going on with what is there; False when asked to stop, and what came is kept."""
        if target.exists():
            return True
        part = part_of(target)
        num_tries = 0
        while True:
            before = _size_of(part)
            try:
                if not self._continue(model, file, part, on_bytes, should_stop):
                    return False
            except (httpx2.RequestError, _BrokenOff) as error:
                num_tries = 1 if _size_of(part) > before else num_tries + 1
                self._pause(num_tries, error)
            else:
                _check(part, file)
                part.replace(target)
                return True
            if should_stop():
                return False

    def _continue(
        self,
        model: HubModel,
        file: HubFile,
        part: Path,
        on_bytes: Callable[[int], None],
        should_stop: Callable[[], bool],
    ) -> bool:
        """Append what is missing. Raises _BrokenOff when the answer ends early."""
        have = _size_of(part)
        if have > file.size_bytes:
            part.unlink()
            have = 0
        if have == file.size_bytes and part.exists():
            return True
        url = f"{self._access.endpoint}/{quote(model.hub_id)}/resolve/{model.commit}/{quote(file.name)}"
        headers = {"range": f"bytes={have}-"} if have else {}
        with self._answer(url, model.hub_id, headers) as response, part.open("ab") as out:
            if have and not response.headers.get("content-range", "").startswith(f"bytes {have}-"):
                out.truncate(0)  # it sends the whole file, or another piece than was asked for
                have = 0
                if response.status_code == httpx2.codes.PARTIAL_CONTENT:
                    raise _BrokenOff("another piece of the file came than was asked for")
            for chunk in response.iter_bytes():  # as they come: nothing is gathered that a break would lose
                have += len(chunk)
                if have > file.size_bytes:
                    raise HubFileDamaged(
                        f"{file.name} is larger than the {file.size_bytes:,} bytes that the hub lists."
                    )
                out.write(chunk)
                on_bytes(have)
                if should_stop():
                    return False
            out.flush()
            os.fsync(out.fileno())
        if have < file.size_bytes:
            raise _BrokenOff("the answer ended early")
        return True

    @contextmanager
    def _answer(self, url: str, hub_id: str, headers: dict[str, str] | None = None) -> Iterator[httpx2.Response]:
        """The answer behind all redirects; a refusal is raised as what it means."""
        for _ in range(NUM_REDIRECTS + 1):
            with self._client.stream("GET", url, headers={**(headers or {}), **self._authorization(url)}) as response:
                if response.has_redirect_location:
                    url = self._next(url, response.headers["location"])
                    continue
                if not response.is_success:
                    response.read()
                    raise self._refusal(response, hub_id)
                yield response
                return
        raise HubDoesNotAnswer(f"The hub sends from one address to the next, more than {NUM_REDIRECTS} times.")

    def _authorization(self, url: str) -> dict[str, str]:
        """The token for the hub itself and for nobody to whom it redirects; never in the open over a network."""
        asked, own = urlsplit(url), urlsplit(self._access.endpoint)
        is_private = own.scheme == "https" or own.hostname in ("127.0.0.1", "::1", "localhost")
        if self._access.token is None or (asked.scheme, asked.netloc) != (own.scheme, own.netloc) or not is_private:
            return {}
        return {"authorization": f"Bearer {self._access.token.get_secret_value()}"}

    def _next(self, url: str, location: str) -> str:
        """Where a redirect leads: by https, or to a hub's own machine."""
        try:
            target = str(httpx2.URL(urljoin(url, location)))
        except (ValueError, httpx2.InvalidURL):
            raise HubDoesNotAnswer("The hub sends on to something that is no address.") from None
        to, own = urlsplit(target), urlsplit(self._access.endpoint)
        if to.scheme != "https" and (to.scheme, to.hostname) != (own.scheme, own.hostname):
            raise HubDoesNotAnswer(f"The hub sends on to an address that is not safe: {to.scheme}://{to.netloc}")
        return target

    def _refusal(self, response: httpx2.Response, hub_id: str) -> Exception:
        status, code = response.status_code, response.headers.get("x-error-code", "")
        page = f"{self._access.endpoint}/{hub_id}"
        if status in _WORTH_ANOTHER_TRY or status == httpx2.codes.RANGE_NOT_SATISFIABLE:
            return _BrokenOff(f"it answered {status}")
        if code == "GatedRepo":
            hint = f"Sign in at {page}, accept its conditions, make a token there, and keep it with: {TOKEN_COMMAND}"
            return HubAccessDenied(
                f"{hub_id} is gated: the hub gives it only to people whom its owner let in.", hint=hint
            )
        if code == "RevisionNotFound":
            return HubModelNotFound(f"{hub_id} has no such revision.", hint=f"See which there are at {page}")
        if "credentials" in response.headers.get("x-error-message", "").lower():
            return HubAccessDenied("The hub does not accept the token.", hint=f"Keep another one with: {TOKEN_COMMAND}")
        if status in (401, 404):
            return HubModelNotFound(f"The hub has no model {hub_id}, or it is private.")
        if status == httpx2.codes.FORBIDDEN:
            return HubAccessDenied(f"The hub does not let you have {hub_id}.")
        return HubDoesNotAnswer(f"The hub answered {status} instead of {hub_id}.")

    def _pause(self, num_tries: int, error: Exception) -> None:
        """Wait longer from try to try. Raises HubDoesNotAnswer when it is enough."""
        if num_tries >= NUM_TRIES:
            words = str(error) or type(error).__name__
            raise HubDoesNotAnswer(f"{self._access.endpoint} does not answer: {words}.") from error
        self._wait(2.0 ** (num_tries - 1))


def _size_of(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _check(part: Path, file: HubFile) -> None:
    """Hold a whole file against its hash; one that is another is thrown away."""
    with part.open("rb") as content:
        wanted = file.sha256 or file.git_hash
        if file.sha256 is not None:
            what, found = "SHA-256", hashlib.file_digest(content, "sha256").hexdigest()
        else:
            digest = hashlib.sha1(f"blob {file.size_bytes}\0".encode(), usedforsecurity=False)
            while chunk := content.read(CHUNK_BYTES):
                digest.update(chunk)
            what, found = "git hash", digest.hexdigest()
    if found != wanted:
        part.unlink()
        raise HubFileDamaged(
            f"{file.name} is not the file that the hub lists: its {what} is another. It was thrown away."
        )
