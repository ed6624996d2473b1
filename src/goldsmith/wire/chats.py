"""`data/learn.jsonl` and `data/exam.jsonl` of a training at a provider: whole conversations, as they will be sent.

One JSON object a line with `messages`, OpenAI's format, the last message the assistant's. Written by the parent; the
child sends these very bytes, and only once they are what its order says.
"""

import hashlib
import json
from pathlib import Path

from goldsmith.wire.order import DataFile
from goldsmith.wire.rows import BadRows


def read(folder: Path, file: DataFile) -> list[str]:
    """The answers that are learned, in order. Raises BadRows rather than leave one out."""
    content = (folder / file.path).read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise BadRows(f"{file.path} is not the file that job.json names: its SHA-256 differs")
    lines = [line for line in content.decode("utf-8").split("\n") if line]
    if len(lines) != file.num_rows:
        raise BadRows(f"{file.path} has {len(lines)} rows, job.json says {file.num_rows}")
    return [_answer(line, number, file.path) for number, line in enumerate(lines, start=1)]


def _answer(line: str, number: int, name: str) -> str:
    try:
        last = json.loads(line)["messages"][-1]
        is_answer = last["role"] == "assistant" and isinstance(last["content"], str)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BadRows(f"{name}, line {number}: not a conversation ({error})") from error
    if not is_answer:
        raise BadRows(f"{name}, line {number}: its last message is no answer")
    return str(last["content"])
