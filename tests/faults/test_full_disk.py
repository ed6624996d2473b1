"""A disk that is full at any moment: it is said, and what is there is whole or as it was."""

import errno
import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.factories import make_person
from tests.faults.full_disk import NEW, REVISION, database

from goldsmith.migrations.tables import METADATA
from goldsmith.storage import archive, restoring
from goldsmith.storage.files import Home, write_whole
from goldsmith.wire import events, manifest

pytestmark = pytest.mark.long

Contents = dict[str, bytes]


def contents(folder: Path) -> Contents:
    """Every file below a folder, but for those that SQLite makes beside its own."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: content for name, content in found.items() if not name.startswith("goldsmith.db")}


def with_a_file(folder: Path, template: Path) -> None:
    del template
    write_whole(folder / "new" / "file", b"old")


def with_data(folder: Path, template: Path) -> None:
    """A home and a database with something in them."""
    shutil.copyfile(template, folder / "goldsmith.db")
    opened = database(folder)
    with opened.transaction() as session:
        for number in range(20):
            make_person(session, f"person {number}")
    opened.dispose()
    home = Home(folder / "home").prepare()
    for number in range(3):
        write_whole(home.models / "tuned" / f"ftm_{number}" / "adapter_model.safetensors", b"weights" * 1000)


def with_a_backup(folder: Path, template: Path) -> None:
    """A backup, and an empty home and database."""
    with_data(folder, template)
    home = Home(folder / "home")
    opened = database(folder)
    archive.write(folder / "all.tar", opened, home, metadata=METADATA, schema_revision=REVISION)
    opened.dispose()
    shutil.rmtree(folder / "home")
    home.prepare()
    shutil.copyfile(template, folder / "goldsmith.db")


def with_nothing(folder: Path, template: Path) -> None:
    del folder, template


def is_old_or_new(folder: Path, before: Contents) -> bool:
    """The last flush may fail when the new file has its name already: then all of it is there."""
    return contents(folder) in (before, {"new/file": NEW})


def is_named_by_its_hash(folder: Path, before: Contents) -> bool:
    del before
    found = contents(folder).items()
    return all(name == f"uploads/{hashlib.sha256(content).hexdigest()}" for name, content in found)


def is_whole_backup_or_none(folder: Path, before: Contents) -> bool:
    if contents(folder) == before:
        return True
    (folder / "staging").mkdir()
    restoring._unpack(folder / "all.tar", folder / "staging", METADATA, REVISION)
    shutil.rmtree(folder / "staging")
    return contents(folder).keys() - before.keys() == {"all.tar"}


def is_not_restored(folder: Path, before: Contents) -> bool:
    with database(folder).reading() as session:
        restoring._check_tables_empty(session.connection(), METADATA)
    return contents(folder) == before


def is_whole_or_absent(folder: Path, before: Contents) -> bool:
    """A checkpoint counts only with its manifest, and is told only when it counts."""
    del before
    target = folder / "checkpoints" / "step-2"
    is_told = events.read(folder / "events.jsonl") != []
    return manifest.read_whole(target) is not None if target.exists() or is_told else True


def has_grown(folder: Path, before: Contents) -> bool:
    return contents(folder) != before


def is_restored(folder: Path, before: Contents) -> bool:
    with database(folder).reading() as session:
        num_people = session.connection().exec_driver_sql("SELECT count(*) FROM people").scalar()
    return num_people == 20 and has_grown(folder, before)


Look = Callable[[Path, Contents], bool]


@pytest.mark.parametrize(
    ("action", "prepare", "is_well", "is_done", "at_least"),
    [
        ("write_file", with_a_file, is_old_or_new, has_grown, 4),
        ("keep_upload", with_nothing, is_named_by_its_hash, has_grown, 4),
        ("back_up", with_data, is_whole_backup_or_none, has_grown, 20),
        ("bring_back", with_a_backup, is_not_restored, is_restored, 20),
        ("save_checkpoint", with_nothing, is_whole_or_absent, is_whole_or_absent, 8),
    ],
)
def test_whichever_write_finds_no_room_nothing_is_half_written(
    tmp_path: Path,
    sqlite_template: Path,
    action: str,
    prepare: Callable[[Path, Path], None],
    is_well: Look,
    is_done: Look,
    at_least: int,
) -> None:
    template = tmp_path / "template"
    template.mkdir()
    prepare(template, sqlite_template)
    before = contents(template)
    argv = [sys.executable, "-m", "tests.faults.full_disk", action, str(template), str(tmp_path / "work")]
    (tmp_path / "work").mkdir()
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    codes = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert (done.returncode, codes[-1], set(codes[:-1])) == (0, 0, {errno.ENOSPC}), done.stderr[-3000:]
    assert len(codes) > at_least, "fewer writes were seen than there are"
    for room, code in enumerate(codes):
        folder = tmp_path / "work" / str(room)
        assert (is_done if code == 0 else is_well)(folder, before), f"with room for {room} writes"


FILL = """
import resource, signal, sys
from sqlalchemy.exc import OperationalError
from tests.factories import make_person
from goldsmith.storage.database import Database
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
database = Database("sqlite:///" + sys.argv[1])
try:
    for number in range(100_000):
        with database.transaction() as session:
            person = make_person(session, f"person {number} " + "x" * 60)
        print(person.id, flush=True)
except OperationalError as error:
    sys.exit(28)
"""


def test_a_database_without_room_keeps_what_it_acknowledged(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "goldsmith.db"
    shutil.copyfile(sqlite_template, path)
    limit = path.stat().st_size + 150_000
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path), str(limit)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == errno.ENOSPC, done.stderr[-2000:]
    acknowledged = set(done.stdout.split())
    assert len(acknowledged) > 20
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert {row[0] for row in file.execute("SELECT id FROM people")} == acknowledged
