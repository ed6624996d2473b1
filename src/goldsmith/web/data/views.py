"""What the pages of datasets show, made from rows and values. Knows no request and no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from goldsmith.data.readers.types import BadRow, Encoding, EncodingSource, Format, Preview
from goldsmith.data.tables import Dataset, DatasetVersion
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.web.data.mapping import ReadingForm, Role
from goldsmith.web.job_lines import JobLine, job_line
from goldsmith.web.listing import Head, Pager
from goldsmith.web.pages import Page
from goldsmith.web.stars_needed import FOR_STARRING

ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1", "shift_jis", "gb18030", "koi8-r")
DELIMITERS = ((",", "comma"), (";", "semicolon"), ("tab", "tab"), ("|", "bar"))
MAX_CELL_CHARACTERS = 300
_FORMATS = {
    Format.DELIMITED: "table as text (CSV)",
    Format.JSONL: "one JSON object a line (JSONL)",
    Format.JSON: "a JSON list",
    Format.CHAT: "chats, as OpenAI writes them",
    Format.EXCEL: "Excel workbook",
    Format.PARQUET: "Parquet",
}
_HOW_KNOWN = {
    EncodingSource.MARK: "the file says so itself",
    EncodingSource.VALID: "the whole file fits it",
    EncodingSource.GUESSED: "guessed: check the letters below",
    EncodingSource.CHOSEN: "as you chose",
}
_DELIMITER_WORDS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar", None: "none: one column"}


@dataclass(frozen=True)
class DatasetLine:
    """A dataset in the list, with its newest version."""

    id: str
    name: str
    created_at: datetime
    state: str
    """The name of its badge."""
    num_rows: int
    num_bad_rows: int
    number: int
    answer_column: str | None


@dataclass(frozen=True)
class DatasetsPage(Page):
    """All datasets, newest first."""

    template: ClassVar[str] = "data/datasets.html"
    current: ClassVar[str] = "data"
    needed: ClassVar[str] = FOR_STARRING
    datasets: tuple[DatasetLine, ...]
    deleted: tuple[tuple[str, str, datetime | None], ...]
    """(id, name, when) of those that can be brought back."""
    heads: tuple[Head, ...]
    pager: Pager
    address: str


@dataclass(frozen=True)
class NewDataPage(Page):
    """Where a file is dropped or a text is pasted."""

    template: ClassVar[str] = "data/new.html"
    current: ClassVar[str] = "data"
    dataset: Dataset | None
    """The one that gets a new version."""


@dataclass(frozen=True)
class PreviewColumn:
    """A column of a file, what it seems to be for, and what stands in it first."""

    index: int
    name: str
    role: Role
    example: str


@dataclass(frozen=True)
class PreviewPage(Page):
    """The beginning of a file as it would be imported; nothing is saved yet."""

    template: ClassVar[str] = "data/preview.html"
    current: ClassVar[str] = "data"
    upload: str
    reading: ReadingForm
    facts: tuple[tuple[str, str, str], ...]
    columns: tuple[PreviewColumn, ...]
    heads: tuple[Head, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    problems: tuple[BadRow, ...]
    sheets: tuple[str, ...]
    encodings: tuple[str, ...]
    delimiters: tuple[tuple[str, str], ...]
    is_whole_file: bool
    has_usable_rows: bool
    """False when every row of the file was seen to be bad."""


@dataclass(frozen=True)
class VersionLine:
    """A version of a dataset."""

    id: str
    number: int
    num_rows: int
    num_bad_rows: int
    source_name: str
    created_at: datetime
    state: str
    is_shown: bool


@dataclass(frozen=True)
class DatasetPage(Page):
    """One dataset: its rows, its versions, and what was not taken."""

    template: ClassVar[str] = "data/dataset.html"
    current: ClassVar[str] = "data"
    id: str
    version: DatasetVersion | None
    """The one that is shown; None while nothing is complete."""
    versions: tuple[VersionLine, ...]
    jobs: tuple[JobLine, ...]
    """The import of the newest version, and the starring of its answers, until they have succeeded."""
    failure: JobFailure | None
    failed_job: JobLine | None
    bad_rows: tuple[Mapping[str, Any], ...]
    failed_rows: tuple[Mapping[str, Any], ...]
    """Of the import that failed; the file had no others."""
    heads: tuple[Head, ...]
    rows: tuple[tuple[int, tuple[str, ...], str], ...]
    """Position, texts, and the page that says where it came from, if a source brought it."""
    pager: Pager
    live: str
    address: str
    num_stars: int
    """How many good answers came with it and are starred already."""
    num_runs: int
    """How many runs asked its rows; they stay when it is deleted."""


def dataset_line(dataset: Dataset, version: DatasetVersion | None, job: Job | None) -> DatasetLine:
    """A row as a line."""
    return DatasetLine(
        id=dataset.id,
        name=dataset.name,
        created_at=dataset.created_at,
        state=state_of(version, job),
        num_rows=version.num_rows if version else 0,
        num_bad_rows=version.num_bad_rows if version else 0,
        number=version.number if version else 0,
        answer_column=version.answer_column if version else None,
    )


def state_of(version: DatasetVersion | None, job: Job | None) -> str:
    """The badge of a version: ready, or how its import stands."""
    if version is not None and version.is_complete:
        return "ready"
    return job.state if job is not None else JobState.CANCELLED.value


def version_line(version: DatasetVersion, job: Job | None, shown: DatasetVersion | None) -> VersionLine:
    """A version as a line."""
    return VersionLine(
        id=version.id,
        number=version.number,
        num_rows=version.num_rows,
        num_bad_rows=version.num_bad_rows,
        source_name=version.source_name,
        created_at=version.created_at,
        state=state_of(version, job),
        is_shown=shown is not None and shown.id == version.id,
    )


def preview_page(upload: str, reading: ReadingForm, found: Preview) -> PreviewPage:
    """The page of a preview."""
    return PreviewPage(
        title="Look before you import",
        upload=upload,
        reading=reading,
        facts=_facts(found),
        columns=tuple(_column(index, name, found) for index, name in enumerate(found.columns)),
        heads=heads_of(found.columns),
        rows=tuple((row.number, tuple(shown(row.values[name]) for name in found.columns)) for row in found.rows),
        problems=found.problems,
        sheets=found.sheets,
        encodings=ENCODINGS if found.encoding else (),
        delimiters=DELIMITERS if found.format is Format.DELIMITED else (),
        is_whole_file=found.is_whole_file,
        has_usable_rows=bool(found.rows) or not found.is_whole_file,
    )


def heads_of(columns: Sequence[str]) -> tuple[Head, ...]:
    """The heads of a table of rows."""
    return (Head("Row"), *(Head(name) for name in columns))


def shown(value: Any) -> str:
    """A cell as far as it is shown."""
    text = str(value)
    return text if len(text) <= MAX_CELL_CHARACTERS else text[:MAX_CELL_CHARACTERS] + "…"


def jobs_shown(jobs: Sequence[Job]) -> tuple[JobLine, ...]:
    """Those that have not ended well."""
    return tuple(job_line(job) for job in jobs if job.state != JobState.SUCCEEDED.value)


def _facts(found: Preview) -> tuple[tuple[str, str, str], ...]:
    facts = [("Format", _FORMATS[found.format], "")]
    if found.encoding:
        facts.append(("Letters", found.encoding.name, _how_known(found.encoding)))
    if found.format is Format.DELIMITED:
        facts.append(("Columns are parted by", _DELIMITER_WORDS.get(found.delimiter, str(found.delimiter)), ""))
    if found.sheet:
        facts.append(("Sheet", found.sheet, f"of {len(found.sheets)}" if len(found.sheets) > 1 else ""))
    return (*facts, ("Columns", str(len(found.columns)), ""))


def _how_known(encoding: Encoding) -> str:
    return _HOW_KNOWN[encoding.source]


def _column(index: int, name: str, found: Preview) -> PreviewColumn:
    example = next((row.values[name] for row in found.rows if row.values[name].strip()), "")
    return PreviewColumn(index, name, Role.ANSWER if name == found.roles.answer else Role.INPUT, shown(example)[:120])
