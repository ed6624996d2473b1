"""Which format a file has: by its first bytes, then by its name, then by its first characters."""

import codecs
from pathlib import Path

from goldsmith.data.readers import encoding, excel
from goldsmith.data.readers.errors import EmptyFile, NotRows, NotText
from goldsmith.data.readers.types import Format

_HEAD_BYTES = 1 << 16
_ZIP = b"PK\x03\x04"
_KINDS = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"ARROW1", "an Arrow file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file (.xls, .doc)"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f"))


def by_bytes(path: Path, filename: str) -> Format | None:
    """Excel or Parquet by their first bytes; None for text. Raises for every other kind of file."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise EmptyFile(f"{_shown(filename)} has no content: 0 bytes.")
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    if head.startswith(_ZIP):
        if excel.is_workbook(path):
            return Format.EXCEL
        raise NotText(
            f"{_shown(filename)} is a ZIP archive, but no .xlsx workbook.", hint="Unpack it, and choose one file of it."
        )
    kind = next((kind for mark, kind in _KINDS if head.startswith(mark)), None)
    if kind is None and _is_binary(head):
        kind = "a binary file"
    if kind is None:
        return None
    hint = "Open it in Excel or LibreOffice and save it as .xlsx or CSV." if "Excel" in kind else None
    raise NotText(f"{_shown(filename)} is {kind}, not text with rows.", hint=hint)


def by_text(head: str, filename: str) -> Format:
    """`JSON`, `JSONL` or `DELIMITED`, from the first characters and the name. A chat is recognised by its rows."""
    start = head.lstrip()
    if not start:
        raise EmptyFile(f"{_shown(filename)} holds nothing but blank space.")
    suffix = Path(filename).suffix.lower()
    if suffix in (".jsonl", ".ndjson", ".json"):
        return Format.JSON if start.startswith("[") else Format.JSONL
    if start[:15].lower().startswith(("<!doctype html", "<html", "<?xml")):
        raise NotRows(f"{_shown(filename)} is a web page or XML, not a table.", hint="Save it as CSV or .xlsx.")
    if start.startswith("{") and ":" in start and suffix != ".tsv":
        return Format.JSONL
    is_list = start.startswith("[") and start[1:].lstrip().startswith(("{", "]"))
    return Format.JSON if is_list else Format.DELIMITED


def _is_binary(head: bytes) -> bool:
    if head.startswith(encoding.MARKS) or encoding.utf16_without_mark(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head)
    except UnicodeDecodeError:
        num_odd = sum(head.count(code) for code in _CONTROLS)
        return num_odd > max(8, len(head) // 20)
    return head.count(0) > max(8, len(head) // 3)


def _shown(filename: str) -> str:
    return f"“{filename[-80:]}”"
