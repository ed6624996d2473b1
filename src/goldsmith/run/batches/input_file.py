"""A batch's file, line by line, with what is wrong with each. Pure but for reading; memory stays constant."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from goldsmith.run.batches.types import MAX_REQUEST_BYTES, MAX_REQUESTS, Fault, InputLine

MAX_ID_CHARACTERS = 255
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_lines(path: Path, endpoint: str) -> Iterator[InputLine | Fault]:
    """Every line that is not empty, or what is wrong with it; then what is wrong with the file as a whole."""
    known: set[bytes] = set()
    num_requests = 0
    with path.open("rb") as file:
        for number, (start_byte, raw) in enumerate(_raw_lines(file), start=1):
            if not raw.strip():
                continue
            num_requests += 1
            if num_requests > MAX_REQUESTS:
                yield Fault("too_many_tasks", f"A batch has at most {MAX_REQUESTS:,} requests.", number)
                return
            line = _line(raw, endpoint, number, start_byte)
            if isinstance(line, InputLine):
                digest = hashlib.blake2b(line.custom_id.encode(), digest_size=12).digest()
                line = line if digest not in known else _duplicate(line)
                known.add(digest)
            yield line
    if num_requests == 0:
        yield Fault("empty_file", "The file has no requests.")


def first_url(path: Path) -> str | None:
    """What the first request of a file asks for; None when that cannot be told."""
    with path.open("rb") as file:
        for start_byte, raw in _raw_lines(file):
            if not raw.strip():
                continue
            try:
                found = orjson.loads(_without_mark(raw) if start_byte == 0 else raw)
            except orjson.JSONDecodeError:
                return None
            url = found.get("url") if isinstance(found, dict) else None
            return url if isinstance(url, str) else None
    return None


def read_body(file: BinaryIO, start_byte: int, num_bytes: int) -> dict[str, Any]:
    """The body of a request whose line was found good before."""
    file.seek(start_byte)
    body: dict[str, Any] = orjson.loads(_without_mark(file.read(num_bytes)))["body"]
    return body


def _raw_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    start_byte = 0
    while raw := file.readline(MAX_REQUEST_BYTES + 1):
        yield start_byte, raw
        start_byte += len(raw)
        while len(raw) > MAX_REQUEST_BYTES and not raw.endswith(b"\n"):
            raw = file.readline(MAX_REQUEST_BYTES + 1)
            start_byte += len(raw)
            if not raw:
                return


def _line(raw: bytes, endpoint: str, number: int, start_byte: int) -> InputLine | Fault:
    if len(raw) > MAX_REQUEST_BYTES:
        return Fault("request_too_long", f"This line has more than {MAX_REQUEST_BYTES:,} bytes.", number)
    try:
        found = orjson.loads(_without_mark(raw) if start_byte == 0 else raw)
    except orjson.JSONDecodeError:
        return Fault("invalid_json_line", "This line is not parseable as valid JSON.", number)
    if not isinstance(found, dict):
        return Fault("invalid_json_line", "This line is JSON, but not an object.", number)
    fault = _fault_of(found, endpoint)
    if fault is not None:
        return Fault(fault.code, fault.message, number, fault.param)
    return InputLine(number, start_byte, len(raw), found["custom_id"], found["body"].get("model") or None)


def _fault_of(found: dict[str, Any], endpoint: str) -> Fault | None:
    for name in ("custom_id", "method", "url", "body"):
        if found.get(name) is None:
            return Fault("missing_required_parameter", f"Missing required parameter: '{name}'.", param=name)
    custom_id, body = found["custom_id"], found["body"]
    if not isinstance(custom_id, str) or not 0 < len(custom_id) <= MAX_ID_CHARACTERS:
        words = f"custom_id must be a text of 1 to {MAX_ID_CHARACTERS} characters."
        return Fault("invalid_custom_id", words, param="custom_id")
    if found["method"] != "POST":
        return Fault("invalid_method", "Only the method POST is supported.", param="method")
    if found["url"] != endpoint:
        words = f"The url of this request does not match the endpoint of the batch, {endpoint}."
        return Fault("mismatched_url", words, param="url")
    if not isinstance(body, dict):
        return Fault("invalid_type", "body must be an object.", param="body")
    if not isinstance(body.get("model") or "", str):
        return Fault("invalid_type", "body.model must be a text.", param="body.model")
    return None


def _duplicate(line: InputLine) -> Fault:
    words = f"The custom_id {line.custom_id!r} is a duplicate of that of another request of this batch."
    return Fault("duplicate_custom_id", words, line.number, "custom_id")


def _without_mark(raw: bytes) -> bytes:
    return raw.removeprefix(BYTE_ORDER_MARK)
