"""A folder of this machine: every new or changed file's rows. What has changed is told by the hash of its bytes."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from goldsmith.connect.sources import answer_files, local, reading
from goldsmith.connect.sources.answer_files import AnswerFilesOptions
from goldsmith.connect.sources.errors import OptionsNotUsable, SourceRefused, SourceSilent
from goldsmith.connect.sources.reading import MAX_FILE_BYTES, SUFFIXES, SourceFile
from goldsmith.connect.sources.types import Batch, Looked, Offered, RowAnswer, Since, SourceOptions, Surroundings
from goldsmith.storage.files import sha256_of, whole_file

MAX_FILES = 100_000


class _Files(SourceOptions):
    """Which files."""

    path: Annotated[str, Field(min_length=1, max_length=1024, title="Folder")]
    """On the machine that Goldsmith runs on, below your home folder or one that GOLDSMITH_IMPORT_ROOTS names."""
    pattern: Annotated[str, Field(min_length=1, max_length=255, title="Files whose name fits")] = "*"
    """Such as *.csv or answers-*.jsonl. CSV, TSV, JSON, JSONL, Excel and Parquet are read, others passed over."""
    with_subfolders: Annotated[bool, Field(title="Look in the folders below, too")] = False
    """Links that lead out of the folder are never followed."""
    id_column: Annotated[str, Field(max_length=200, title="Column that names a row")] = ""
    """By it a row is known again in whichever file it comes. Left empty, a row is known by its file and its place in
    it."""


class FolderOptions(AnswerFilesOptions, _Files):
    """Which files, and whether answers go there."""


class Folder:
    """The kind."""

    name: ClassVar[str] = "folder"
    title: ClassVar[str] = "A folder"
    about: ClassVar[str] = "Files of this machine, whenever one is new or has changed: CSV, JSONL, Excel, Parquet."
    Options: ClassVar[type[SourceOptions]] = FolderOptions

    def open(self, options: FolderOptions, surroundings: Surroundings) -> "FolderSource":
        """The folder. Raises OptionsNotUsable, SourceRefused."""
        root = local.allowed(Path(options.path), surroundings)
        if not root.is_dir():
            raise OptionsNotUsable(f"{root} is no folder.", hint="Name the folder in which the file lies.")
        return FolderSource(root, options)


@dataclass(frozen=True)
class FolderSource:
    """One folder with its files."""

    _root: Path
    _options: FolderOptions

    def look(self) -> Looked:
        """How many files there are to read."""
        files = self._files()
        if not files:
            return Looked(f"{self._root} can be read, and holds no file whose name fits {self._options.pattern}.")
        num = f"{len(files):,} files" if len(files) > 1 else "1 file"
        return Looked(f"{self._root} can be read and holds {num}, the first of them {files[0]}.")

    def fetch(self, since: Since) -> Iterator[Batch]:
        """File by file, by name; of files that are gone, that they are."""
        files = self._files()
        if since.groups and not files:
            raise SourceSilent(
                f"{self._root} holds none of its {len(since.groups):,} files any more.",
                hint="Perhaps a disk is not there. If the files are gone for good, remove the connection.",
            )
        for number, name in enumerate(files):
            for batch in self._read(name, since):
                yield Batch(**{**batch.__dict__, "share": number / len(files)})
        for name in sorted(set(since.groups) - set(files)):
            yield Batch(group=name, is_begun=True, is_ended=True)

    def keep(self, name: str, answers: Iterable[RowAnswer]) -> Offered:
        """One file for each run, which takes its name when all of it is there."""
        folder = self._root / answer_files.FOLDER
        if folder.resolve() != folder:
            raise SourceRefused(f"{folder} leads out of the folder.", hint="Remove that link, then offer them again.")
        path = folder / f"{name}.jsonl"
        try:
            before = sha256_of(path) if path.exists() else None
            mode = self._root.stat().st_mode  # whoever may look into the folder may look at what is put there
            folder.mkdir(exist_ok=True)
            folder.chmod(mode & 0o777)
            with whole_file(path) as file:
                os.fchmod(file.fileno(), mode & 0o666)
                written = answer_files.write(file, answers)
        except OSError as error:
            hint = "Let Goldsmith's user write there, or offer the answers elsewhere."
            raise SourceRefused(f"{folder} cannot be written: {error.strerror}.", hint=hint) from None
        return written.beside(before)

    def _read(self, name: str, since: Since) -> Iterator[Batch]:
        path = self._root / name
        try:
            before = path.stat()
            if before.st_size > MAX_FILE_BYTES:
                yield reading.unread(name, f"{before.st_size} bytes", f"it has more than {MAX_FILE_BYTES:,} bytes")
                return
            state = sha256_of(path)
        except OSError as error:
            yield Batch(not_taken=reading.unread(name, "", f"it cannot be opened ({error.strerror})").not_taken)
            return
        if since.groups.get(name) == state:
            return
        at = since.cursor if since.cursor.get("group") == name and since.cursor.get("state") == state else {}
        file = SourceFile(path, name, state, self._options.id_column)
        for batch in reading.batches(file, done=int(at.get("done", 0))):
            if batch.is_ended and _stamp(path) != (before.st_size, before.st_mtime_ns):
                return  # somebody writes it at this moment; without its state it is read again next time
            yield batch

    def _files(self) -> list[str]:
        """Names below the folder, in their order; links that lead out of it are passed over."""
        try:
            found = self._root.rglob("*") if self._options.with_subfolders else self._root.iterdir()
            names = [
                path.relative_to(self._root).as_posix()
                for path in found
                if path.suffix.lower() in SUFFIXES
                and not path.name.startswith(".")
                and not answer_files.is_ours(path)
                and fnmatchcase(path.name, self._options.pattern)
                and path.is_file()
                and path.resolve().is_relative_to(self._root)
            ]
        except OSError as error:
            raise SourceRefused(f"{self._root} cannot be read: {error.strerror}.") from None
        if len(names) > MAX_FILES:
            raise OptionsNotUsable(f"{self._root} holds {len(names):,} files; at most {MAX_FILES:,} are read.")
        return sorted(names)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
