"""A disk that is full from the n-th write on, for n = 0, 1, 2 … until there is room enough for everything.

`python -m tests.faults.full_disk ACTION TEMPLATE WORK` copies the folder TEMPLATE to WORK/n for each n and does the
action there, in a process of its own, because the disk stands between that whole process and its files. Whatever makes
something counts as a write: opening a file to write, each write into it, each flush to the disk, each new folder, each
name that is given. Deleting is always possible. Prints n and the exit code: 0 when all was written, 28 (no space left)
when it was said that it was not, anything else when it came out in another way.
"""

import builtins
import errno
import io
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from goldsmith.migrations.tables import METADATA
from goldsmith.storage import archive, files, restoring
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.wire import manifest
from goldsmith.wire.events import EventKind, Writer

REVISION = "0001"
NEW = b"new" * 1000
MAX_ROOM = 400


class Disk:
    """Counts writes below a folder, and refuses them from the n-th on."""

    def __init__(self, root: Path, room: int) -> None:
        self.root, self.room = str(root), room

    def write(self, path: object = "") -> None:
        """One write. Raises OSError when there is no room for it."""
        if isinstance(path, (str, Path)) and str(path) and not str(path).startswith(self.root):
            return
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def install(self) -> None:
        """Stand between this process and its files."""
        real_open = builtins.open

        def open_counted(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            is_writing = any(letter in mode for letter in "wax+")
            if is_writing:
                self.write(file)
            opened = real_open(file, mode, *args, **kwargs)
            return _Counted(opened, self) if is_writing and self._is_here(opened) else opened

        def fsync(fd: Any) -> None:
            del fd  # no power is cut here, so nothing is really flushed: that would take minutes
            self.write()

        builtins.open = io.open = open_counted
        os.fsync = fsync
        real_os_open = os.open

        def os_open(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            if flags & os.O_CREAT or flags & os.O_TMPFILE == os.O_TMPFILE:
                self.write(path)
            return real_os_open(path, flags, *args, **kwargs)

        os.open = os_open
        for name in ("mkdir", "rename", "replace"):
            setattr(os, name, self._counting(getattr(os, name)))

    def _is_here(self, opened: Any) -> bool:
        name = opened.name if isinstance(opened.name, str) else Path(f"/proc/self/fd/{opened.fileno()}").readlink()
        return str(name).startswith(self.root)

    def _counting(self, real: Callable[..., None]) -> Callable[..., None]:
        def counted(path: object, *args: Any, **kwargs: Any) -> None:
            self.write(path)
            real(path, *args, **kwargs)

        return counted


class _Counted:
    """A file whose writes count."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def write(self, content: Any) -> int:
        self._disk.write()
        return int(self._file.write(content))

    def __enter__(self) -> "_Counted":
        self._file.__enter__()
        return self

    def __exit__(self, *how: object) -> None:
        self._file.__exit__(*how)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def database(folder: Path) -> Database:
    """The database in a folder."""
    return Database(f"sqlite:///{folder / 'goldsmith.db'}")


def write_file(folder: Path) -> None:
    """A file that is whole or not there."""
    files.write_whole(folder / "new" / "file", NEW)


def keep_upload(folder: Path) -> None:
    """What somebody uploads."""
    from goldsmith.data import service

    service.save_upload(Home(folder), io.BytesIO(b"question\nwhat?\n" * 50_000), "rows.csv")


def back_up(folder: Path) -> None:
    """A backup of everything."""
    home = Home(folder / "home")
    archive.write(folder / "all.tar", database(folder), home, metadata=METADATA, schema_revision=REVISION)


def bring_back(folder: Path) -> None:
    """A backup into an empty home and an empty database."""
    home = Home(folder / "home")
    restoring.restore(folder / "all.tar", database(folder), home, metadata=METADATA, schema_revision=REVISION)


def save_checkpoint(folder: Path) -> None:
    """What a trainer does after some steps: the state, its manifest, its name, a word about it."""
    written, target = folder / "checkpoints" / "partial", folder / "checkpoints" / "step-2"
    written.mkdir(parents=True)
    with (written / "state.json").open("w") as file:
        file.write('{"step": 2}')
    manifest.write(written, step=2)
    written.rename(target)
    Writer(folder / "events.jsonl").append(EventKind.SAVED, step=2)


ACTIONS = {each.__name__: each for each in (write_file, keep_upload, back_up, bring_back, save_checkpoint)}


def attempt(action: str, folder: Path, room: int) -> int:
    """Do it with room for so many writes."""
    Disk(folder, room).install()
    try:
        ACTIONS[action](folder)
    except OSError as error:
        return error.errno or 1
    return 0


def main(action: str, template: str, work: str) -> int:
    """Try with more room each time."""
    for room in range(MAX_ROOM):
        folder = Path(work) / str(room)
        shutil.copytree(template, folder)
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(attempt(action, folder, room))
            except BaseException:  # noqa: BLE001 - the other process tells
                traceback.print_exc()
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(room, code, flush=True)
        if code == 0:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
