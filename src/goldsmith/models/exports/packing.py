"""A folder as one zip file that is whole or not there. Weights do not shrink, so nothing is compressed."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

from goldsmith.storage.files import whole_file

BLOCK_BYTES = 4_000_000
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The same content makes the same file, whenever it is made."""


class StoppedPacking(Exception):
    """Somebody asked to stop; nothing was left behind."""


def pack(folder: Path, target: Path, *, on_bytes: Callable[[int], None], should_stop: Callable[[], bool]) -> None:
    """Write every file of `folder` into `target`, inside one folder named as the file is. Raises StoppedPacking."""
    num_bytes = 0
    with whole_file(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            info = zipfile.ZipInfo(f"{target.stem}/{path.relative_to(folder).as_posix()}", _MOMENT)
            info.external_attr = 0o600 << 16
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as member:
                while block := source.read(BLOCK_BYTES):
                    member.write(block)
                    num_bytes += len(block)
                    on_bytes(num_bytes)
                    if should_stop():
                        raise StoppedPacking


def file_name(model_name: str, form: str, *, is_good: bool) -> str:
    """What the file is called: safe anywhere, and a bad one is known by its name."""
    words = re.sub(r"[^a-z0-9]+", "-", model_name.lower()).strip("-")[:80] or "model"
    return f"{words}-{form}{'' if is_good else '-not-good'}.zip"
