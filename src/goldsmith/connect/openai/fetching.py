"""Brings what an account holds at OpenAI into a folder, before the services close: one file for each thing.

    with Account("https://api.openai.com/v1", key) as account:
        for said in fetch(account, folder): print(said)

Asks with GET alone. A file that is there is not fetched again, so a fetch that broke off goes on where it was. A
service that speaks only a part of this API (another Goldsmith) gives what it has; what it lacks is said.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

import httpx2
import orjson

from goldsmith.connect.openai.errors import AccountNotReached, AccountRefused
from goldsmith.connect.openai.types import ID_END
from goldsmith.storage.files import whole_file

DEFAULT_URL: Final = "https://api.openai.com/v1"
NUM_TRIES: Final = 5
PAGE: Final = 100
_PURPOSES: Final = ("fine-tune", "evals", "batch", "batch_output")
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._-]")
_LATER: Final = (408, 425, 429, 500, 502, 503, 504)
_LACKS: Final = (404, 405, 501)


class _NotThere(Exception):
    """The service has no such list, or no such file any more."""


class Account:
    """A connection with a key; the key is never shown."""

    def __init__(self, url: str, key: str, *, wait: Callable[[float], None] = time.sleep) -> None:
        for name in ("httpx2", "httpcore2"):  # they log whole addresses
            logging.getLogger(name).setLevel(logging.WARNING)
        self._url = url.rstrip("/")
        self._wait = wait
        headers = {"authorization": f"Bearer {key}", "user-agent": "goldsmith"}
        self._client = httpx2.Client(timeout=httpx2.Timeout(10.0, read=60.0), headers=headers)

    def __enter__(self) -> "Account":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def listed(self, path: str) -> Iterator[dict[str, Any]]:
        """Every object of a list, page after page."""
        after: str | None = None
        while True:
            params: dict[str, str | int] = {"limit": PAGE} | ({"after": after} if after else {})
            page = self._asked(path, params).json()
            found = [each for each in page.get("data") or [] if isinstance(each, dict)]
            yield from found
            last = str(found[-1].get("id")) if found else None
            if not page.get("has_more") or last is None or last == after:
                return
            after = last

    def content(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._asked(path, {}).content

    def _asked(self, path: str, params: Mapping[str, str | int]) -> httpx2.Response:
        """Raises AccountNotReached, AccountRefused, _NotThere."""
        said = ""
        for number in range(NUM_TRIES):
            if number:
                self._wait(min(2.0**number, 30.0))
            try:
                response = self._client.get(self._url + path, params=params)
            except httpx2.RequestError as error:
                said = type(error).__name__
                continue
            if response.status_code in _LACKS:
                raise _NotThere(path)
            if response.status_code in (401, 403):
                raise AccountRefused(f"{self._url} does not let this key in: {_message(response)}")
            if response.is_success:
                return response
            said = f"{response.status_code} {_message(response)}"
            if response.status_code not in _LATER:
                break
        raise AccountNotReached(f"{self._url}{path} did not answer as it should: {said}")


def fetch(account: Account, folder: Path) -> Iterator[str]:
    """Bring everything into the folder; says of each thing what came. Raises AccountNotReached, AccountRefused."""
    folder.mkdir(parents=True, exist_ok=True)
    yield from _jobs(account, folder)
    yield from _files(account, folder)
    yield from _evals(account, folder)
    yield from _completions(account, folder)


def _jobs(account: Account, folder: Path) -> Iterator[str]:
    yield _lines(folder / "fine_tuning_jobs.jsonl", "fine-tuning jobs", partial(account.listed, "/fine_tuning/jobs"))


def _files(account: Account, folder: Path) -> Iterator[str]:
    try:
        found = [file for file in account.listed("/files") if file.get("purpose") in _PURPOSES]
    except _NotThere:
        yield "files: the service keeps none"
        return
    for file in found:
        file_id = str(file["id"])
        target = folder / f"{_plain(file_id)}{ID_END}{_plain(str(file.get('filename') or 'file.jsonl'))}"
        yield f"{target.name}: is here" if target.exists() else _one_file(account, file_id, target)


def _one_file(account: Account, file_id: str, target: Path) -> str:
    try:
        content = account.content(f"/files/{quote(file_id, safe='')}/content")
    except _NotThere:
        return f"{target.name}: its content is gone there"
    with whole_file(target) as file:
        file.write(content)
    return f"{target.name}: {len(content):,} bytes"


def _evals(account: Account, folder: Path) -> Iterator[str]:
    try:
        found = list(account.listed("/evals"))
    except _NotThere:
        yield "evals: the service keeps none"
        return
    for each in found:
        eval_id, path = _plain(str(each["id"])), f"/evals/{quote(str(each['id']), safe='')}/runs"
        yield _lines(folder / f"{eval_id}_eval.jsonl", f"eval {each.get('name') or eval_id}", partial(iter, [each]))
        yield _lines(folder / f"{eval_id}_runs.jsonl", "its runs", partial(account.listed, path))
        yield _lines(folder / f"{eval_id}_output.jsonl", "its rows", partial(_output, account, path))


def _output(account: Account, path: str) -> Iterator[dict[str, Any]]:
    for run in account.listed(path):
        yield from account.listed(f"{path}/{quote(str(run['id']), safe='')}/output_items")


def _completions(account: Account, folder: Path) -> Iterator[str]:
    yield _lines(folder / "stored_completions.jsonl", "stored completions", partial(_with_messages, account))


def _with_messages(account: Account) -> Iterator[dict[str, Any]]:
    for each in account.listed("/chat/completions"):
        yield {
            **each,
            "messages": list(account.listed(f"/chat/completions/{quote(str(each['id']), safe='')}/messages")),
        }


def _lines(target: Path, what: str, objects: Callable[[], Iterable[dict[str, Any]]]) -> str:
    """The objects as lines of a file that is whole or not there; none make no file."""
    if target.exists():
        return f"{what}: are here ({target.name})"
    num = 0
    try:
        content = bytearray()
        for each in objects():
            content += orjson.dumps(each) + b"\n"
            num += 1
    except _NotThere:
        return f"{what}: the service keeps none"
    if num:
        with whole_file(target) as file:
            file.write(content)
    return f"{what}: {num:,}" + (f" ({target.name})" if num else "")


def _plain(name: str) -> str:
    """A name without anything that means something to a file system."""
    return _NO_NAME.sub("_", name).strip(".")[:120] or "file"


def _message(response: httpx2.Response) -> str:
    try:
        error = response.json().get("error")
    except (ValueError, AttributeError):
        return ""
    return str(error.get("message", ""))[:300] if isinstance(error, dict) else ""
