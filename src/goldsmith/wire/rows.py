"""`data/learn.jsonl` and `data/exam.jsonl`: rows as token ids, with what is learned of them.

One JSON object a line: `row_id`, `input_ids`, `labels` (the id itself where it is learned, -100 elsewhere), and of a
pair `rejected_ids`, the bad answer to the same prompt; a line with `is_bad` is an answer that the model should not
give. Written by the parent, read by every trainer program, which trains on these ids and no others.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from goldsmith.wire.order import DataFile

NOT_LEARNED = -100


class BadRows(ValueError):
    """The file is not what the order says, or a line is not a row; the text names the line."""


@dataclass(frozen=True)
class Row:
    """One row: ids and labels of equal length. Of a pair also the bad answer's ids, its end marker included."""

    row_id: str
    input_ids: list[int]
    labels: list[int]
    rejected_ids: list[int] = field(default_factory=list)
    is_bad: bool = False
    """Whether the answer is one that the model should not give."""

    @property
    def num_learned(self) -> int:
        """Tokens that are learned. The first token follows nothing, so it never is."""
        return sum(label != NOT_LEARNED for label in self.labels[1:])

    @property
    def prompt_ids(self) -> list[int]:
        """What stands before the first token that is learned."""
        return self.input_ids[: next((at for at, label in enumerate(self.labels) if label != NOT_LEARNED), None)]

    @property
    def num_tokens(self) -> int:
        """All that is read for it: of a pair the prompt twice, once before each answer."""
        pair = len(self.prompt_ids) + len(self.rejected_ids) if self.rejected_ids else 0
        return len(self.input_ids) + pair

    def to_line(self) -> str:
        """The row as one line of the file, newline included."""
        known = {name: value for name, value in asdict(self).items() if name != "is_bad" or value}
        return json.dumps(known, ensure_ascii=False) + "\n"


def read(folder: Path, file: DataFile) -> list[Row]:
    """All rows of `file` in the job folder `folder`, in order. Raises BadRows rather than leave one out."""
    content = (folder / file.path).read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise BadRows(f"{file.path} is not the file that job.json names: its SHA-256 differs")
    lines = content.decode("utf-8").split("\n")
    rows = [_parse(line, number, file.path) for number, line in enumerate(lines, start=1) if line]
    if len(rows) != file.num_rows:
        raise BadRows(f"{file.path} has {len(rows)} rows, job.json says {file.num_rows}")
    return rows


def _parse(line: str, number: int, name: str) -> Row:
    try:
        row = Row(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise BadRows(f"{name}, line {number}: not a row ({error})") from error
    if not isinstance(row.row_id, str):
        raise BadRows(f"{name}, line {number}: row_id must be a text")
    if not _is_ids(row.input_ids) or not _is_ids(row.labels) or len(row.input_ids) != len(row.labels):
        raise BadRows(f"{name}, line {number}: input_ids and labels must be lists of whole numbers of equal length")
    if row.rejected_ids != [] and not _is_ids(row.rejected_ids):
        raise BadRows(f"{name}, line {number}: rejected_ids must be a list of whole numbers")
    if not isinstance(row.is_bad, bool):
        raise BadRows(f"{name}, line {number}: is_bad must be true or false")
    for token_id, label in zip(row.input_ids, row.labels, strict=True):
        if token_id < 0 or label not in (token_id, NOT_LEARNED):
            raise BadRows(f"{name}, line {number}: a label must be the token's own id or {NOT_LEARNED}, not {label}")
    return row


def _is_ids(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(type(item) is int for item in value)
