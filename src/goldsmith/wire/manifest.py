"""`manifest.json`: what makes a folder count. Written last; names every file with its hash and size.

Used for checkpoints and for the result of a training: a folder without it, or with another file than it names, is not
there. Children write it, children and parents check it.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

FILE_NAME = "manifest.json"


def write(folder: Path, **more: Any) -> dict[str, Any]:
    """Flush every file of `folder` to disk, then write its manifest with `more` beside `files`; returns it."""
    body: dict[str, Any] = {**more, "files": {name: _describe(folder / name) for name in _names(folder)}}
    text = json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_whole(folder / FILE_NAME, text)
    return body


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there as a whole or not at all, and have it on disk."""
    temporary = path.with_name(path.name + ".partial")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    flush_folder(path.parent)


def read_whole(folder: Path) -> dict[str, Any] | None:
    """The manifest of `folder` if it is there and every file is exactly as it says, else None."""
    try:
        body = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        if set(body["files"]) != set(_names(folder)):
            return None
        is_whole = all(_describe(folder / name, flush=False) == said for name, said in body["files"].items())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return body if is_whole else None


def flush_folder(folder: Path) -> None:
    """Have the names in `folder` on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names(folder: Path) -> list[str]:
    own = {FILE_NAME, FILE_NAME + ".partial"}
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name not in own)


def _describe(path: Path, *, flush: bool = True) -> dict[str, Any]:
    with path.open("rb") as file:
        if flush:
            os.fsync(file.fileno())
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size_bytes": path.stat().st_size}
