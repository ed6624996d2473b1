"""`job.json`: what a heavy child is told, fully resolved.

Written once by the stage that prepares a job folder; read by the child, in any environment and on any machine. All
paths are relative to the job folder, so the folder can be moved. Knows no database and no backend.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ORDER_VERSION = 1


@dataclass(frozen=True)
class DataFile:
    """A file of pre-tokenised rows: one JSON object a line with `row_id`, `input_ids`, `labels` (-100: not learned).

    Of a training at a provider: of whole conversations (`wire/chats.py`), whose tokens nobody here can count: 0.
    """

    path: str
    sha256: str
    num_rows: int
    num_tokens: int
    num_learned_tokens: int


@dataclass(frozen=True)
class Order:
    """Everything a training child needs to know; `settings` are the backend's resolved options."""

    job_id: str
    program: str
    """The module that is run, e.g. `goldsmith.trainers.trl_sft`."""
    model_id: str
    """The id that the finished model will have."""
    model_name: str
    base_model_id: str
    base_model_name: str
    base_model_folder: str
    """Absolute, or relative to the job folder when the weights travel with it."""
    base_model_hash: str
    template_hash: str
    learn: DataFile
    exam: DataFile | None
    settings: dict[str, Any]
    device: str
    """`cpu` or `cuda`."""
    num_threads: int | None = None
    versions: dict[str, str] = field(default_factory=dict)
    order_version: int = ORDER_VERSION

    def to_json(self) -> str:
        """The exact text of `job.json`, nulls included, keys sorted."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def from_json(text: str) -> Order:
    """Read `job.json`. Raises ValueError for another version, KeyError or TypeError for a missing or foreign key."""
    data = json.loads(text)
    if not isinstance(data, dict):
        raise TypeError("job.json does not hold an object")
    if data.get("order_version") != ORDER_VERSION:
        raise ValueError(f"job.json has version {data.get('order_version')}, this program reads {ORDER_VERSION}")
    data["learn"] = DataFile(**data["learn"])
    data["exam"] = DataFile(**data["exam"]) if data["exam"] else None
    return Order(**data)


def read(path: Path) -> Order:
    """Read the order at `path`."""
    return from_json(path.read_text(encoding="utf-8"))
