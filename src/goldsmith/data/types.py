"""Values of datasets."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Upload:
    """A file that somebody brought, kept under the hash of its bytes; its name is only text."""

    sha256: str
    filename: str
    size_bytes: int


@dataclass(frozen=True)
class ImportRequest:
    """What becomes of an upload: a first version of a new dataset, or the next version of `dataset_id`."""

    upload: Upload
    name: str
    dataset_id: str | None = None
    answer_column: str | None = None
    columns: tuple[str, ...] | None = None
    """The columns to keep; None: all."""
    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


class UploadStatus(StrEnum):
    """Where a file stands that comes in parts, in OpenAI's words."""

    PENDING = "pending"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
