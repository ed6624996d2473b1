"""A file's preview, made by a child whose memory and time are limited: what people send is never read in our process.

`python -m goldsmith.data.previewing` is that child: it reads what is wanted from stdin and writes the preview, or the
reader's error, to stdout. Pages and the API call `preview`.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.data import readers
from goldsmith.data.errors import TooMuchMemory
from goldsmith.data.readers import errors
from goldsmith.data.readers.types import Format, Preview, ReadOptions

if TYPE_CHECKING:
    from pydantic import TypeAdapter

TIMEOUT_S = 20
MEMORY_LIMIT_BYTES = 1 << 30
MAX_KEPT = 16
MAX_KEPT_CHARS = 200_000
_kept: dict[tuple[object, ...], str] = {}
"""Previews as JSON, by everything that they depend on."""
_ERRORS: Mapping[str, type[errors.UnreadableFile]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.UnreadableFile)
}


def preview(path: Path, *, filename: str, num_rows: int = 20, options: ReadOptions | None = None) -> Preview:
    """The beginning of a file with its first problems. Raises the readers' errors, and TooMuchMemory.

    A file is looked at once in each way: an upload never changes, and starting the child takes longer than reading.
    """
    found = path.stat()
    name = (str(path), found.st_size, found.st_mtime_ns, filename, num_rows, options, MEMORY_LIMIT_BYTES)
    said = _kept.get(name)
    if said is None:
        said = _ask_child(path, filename, num_rows, options or ReadOptions())
        if len(said) <= MAX_KEPT_CHARS:
            if len(_kept) >= MAX_KEPT:
                _kept.clear()
            _kept[name] = said
    return _checker().validate_python(_with_tuples(json.loads(said)))


def _ask_child(path: Path, filename: str, num_rows: int, options: ReadOptions) -> str:
    """The preview as JSON."""
    wanted = {
        "path": str(path),
        "filename": filename,
        "num_rows": num_rows,
        "options": asdict(options),
        "memory_limit_bytes": MEMORY_LIMIT_BYTES,
    }
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(
            command, input=json.dumps(wanted).encode(), capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise errors.FileTooLarge(f"Reading its beginning took longer than {TIMEOUT_S} seconds.") from None
    if done.returncode != 0:
        raise _why_it_died(done.stderr.decode(errors="replace"))
    said = json.loads(done.stdout)
    if "error" in said:
        kind = _ERRORS.get(said["error"], errors.UnreadableFile)
        raise kind(said["message"], hint=said["hint"])
    return json.dumps(said["preview"])


@cache
def _checker() -> "TypeAdapter[Preview]":
    from pydantic import TypeAdapter  # the child must not load it: that takes longer than reading the file's beginning

    return TypeAdapter(Preview)


def _why_it_died(said: str) -> Exception:
    if "MemoryError" in said or "memory allocation" in said:
        return TooMuchMemory("Not even its beginning can be read with the memory that a preview may have.")
    return RuntimeError(f"the program that reads previews ended with: {said[-2000:]}")


def _with_tuples(value: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists where the values have tuples."""
    return {name: tuple(item) if isinstance(item, list) else item for name, item in value.items()}


def _read(wanted: Mapping[str, Any]) -> dict[str, Any]:
    given = wanted["options"]
    options = ReadOptions(**{**given, "format": Format(given["format"]) if given["format"] else None})
    try:
        found = readers.preview(
            Path(wanted["path"]), filename=wanted["filename"], num_rows=wanted["num_rows"], options=options
        )
    except errors.UnreadableFile as error:
        return {"error": type(error).__name__, "message": error.message, "hint": error.hint}
    return {"preview": asdict(found)}


def main() -> None:
    """The child."""
    wanted = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (wanted["memory_limit_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (TIMEOUT_S, TIMEOUT_S))
    sys.stdout.write(json.dumps(_read(wanted)))


if __name__ == "__main__":
    main()
