"""An export's `job.json`, and `check.json`, which says what it answered: what parent and child tell each other.

Knows no database. Folders of models are absolute: an export reads the files where they lie, and changes none.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

CHECK_FILE = "check.json"
MODEL_FOLDER = "model"


class ExportForm(StrEnum):
    """What a fine-tuned model is taken away as."""

    ADAPTER = "adapter"
    """The few weights that were trained; they need the base model beside them."""
    MERGED = "merged"
    """The base model with what was learned added to its weights: a whole model."""
    GGUF = "gguf"
    """The whole model as one file for llama.cpp and Ollama, with a Modelfile."""


@dataclass(frozen=True)
class ExportOrder:
    """Everything that the exporting child needs to know."""

    form: ExportForm
    model_id: str
    model_name: str
    base_model_name: str
    base_folder: str
    adapter_folder: str
    dtype: str | None = None
    """Of merged weights: `float32`, `float16` or `bfloat16`; null: the base model's own, where it has 16 bits."""
    num_rows: int = 5
    max_answer_tokens: int = 128
    num_threads: int | None = None
    converter: str | None = None
    """The folder with llama.cpp's converter; only for GGUF."""

    def to_json(self) -> str:
        """The exact text of the file."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class CheckedRow:
    """One row as the adapter and the export answered it."""

    row_id: str
    side: str
    largest_nats: float
    """By how much the log-probability of a learned token differs at most."""
    adapter_answer: str
    export_answer: str

    @property
    def is_same(self) -> bool:
        """Whether both wrote the same."""
        return self.adapter_answer == self.export_answer


@dataclass(frozen=True)
class Check:
    """What came out of asking both the same rows."""

    dtype: str
    has_same_prompts: bool
    """Whether the export's own tokenizer and template make the same tokens; true where it has none of its own."""
    rows: tuple[CheckedRow, ...]

    @property
    def largest_nats(self) -> float:
        """The largest difference of all rows."""
        return max((row.largest_nats for row in self.rows), default=0.0)

    @property
    def num_same(self) -> int:
        """Rows in which both wrote the same."""
        return sum(row.is_same for row in self.rows)

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        temporary = folder / (CHECK_FILE + ".partial")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2, ensure_ascii=False, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(folder / CHECK_FILE)


def read_order(path: Path) -> ExportOrder:
    """Read an order. Raises ValueError, KeyError or TypeError for one that is none."""
    body = json.loads(path.read_text(encoding="utf-8"))
    return ExportOrder(**{**body, "form": ExportForm(body["form"])})


def read_check(folder: Path) -> Check:
    """Read what was found. Raises OSError, ValueError, KeyError or TypeError."""
    return check_from(json.loads((folder / CHECK_FILE).read_text(encoding="utf-8")))


def check_from(body: Mapping[str, Any]) -> Check:
    """The same from a mapping, as it is kept in a job's result."""
    rows = tuple(CheckedRow(**row) for row in body["rows"])
    return Check(str(body["dtype"]), bool(body["has_same_prompts"]), rows)
