"""A backup holds what people made and nothing else, and every way of restoring brings back every row and every file."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Float, Integer, Table, insert, null, select
from tests.factories import make_person

from goldsmith.migrations.tables import METADATA
from goldsmith.storage import archive, restoring
from goldsmith.storage.archive import Manifest
from goldsmith.storage.database import Database, UtcTime
from goldsmith.storage.errors import ArchiveExists, ArchiveRefused, NotEmpty
from goldsmith.storage.files import Home, write_whole

MakeAny = Callable[[str], Database]
EACH = pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
MOMENT = datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)
TEXT = 'ü, \U0001f31f, \u2028, "quoted", it\'s 1 %, \\ and\na new line'
KEPT = {
    "uploads/ab12": b"question,answer\n",
    "training-sets/set_1/learn.jsonl": b"{}\n",
    "models/tuned/ftm_1/adapter_model.safetensors": bytes(range(256)) * 500,
    "models/tuned/ftm_1/empty": b"",
    "jobs/job_1/job.json": b"{}",
    "jobs/job_1/attempts/1/log": b"Loaded.\n",
    "jobs/job_1/attempts/1/" + "a-name-that-is-too-long-for-a-plain-header" * 4: b"x",
}
LEFT_OUT = {
    "models/base/0f/model.safetensors": b"weights",
    "jobs/job_1/checkpoints/step-1/adapter.bin": b"large",
    "jobs/job_1/result/adapter.bin": b"large",
    "jobs/job_1/attempts/1/train.pid": b"1",
    "uploads/.ab13.x": b"not yet wh",
    "secrets/engine-eng_1.key": b"sk-1",
    "environments/trl/bin/python": b"",
    "run/place.json": b"{}",
    "engines/eng_1/log": b"",
}


@pytest.fixture
def make_any(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeAny]:
    """A database of the kind that is asked for, with all tables and nothing in them."""
    made: list[Database] = []

    def make(kind: str) -> Database:
        name = f"{kind}_{len(made)}"
        if kind == "sqlite":
            (tmp_path / f"{name}.db").write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
            made.append(Database(f"sqlite:///{tmp_path / name}.db"))
        else:
            made.append(Database(request.getfixturevalue("make_postgresql_url")()))
        return made[-1]

    yield make
    for database in made:
        database.dispose()


@pytest.fixture
def other_home(tmp_path: Path) -> Home:
    return Home(tmp_path / "other").prepare()


def fill(database: Database) -> None:
    """Two rows in every table, one of them as empty as it may be."""
    with database.transaction() as session:
        for table in METADATA.sorted_tables:
            rows = [{each.name: value(each, number) for each in table.columns} for number in (1, 2)]
            session.execute(insert(table), rows)


def value(column: Column[Any], number: int) -> Any:
    if isinstance(column.type, JSON):
        return {1: {"ü": [1.5, None, "\0"]}, 2: null() if column.nullable else []}[number]
    if number == 2 and column.nullable:
        return None
    if isinstance(column.type, Boolean):
        return number == 1
    if isinstance(column.type, Integer):
        return number
    if isinstance(column.type, Float):
        return 0.1 + 0.2
    if isinstance(column.type, UtcTime):
        return MOMENT
    if (column.table.name, column.name) == ("jobs", "state"):
        return "succeeded"
    if column.foreign_keys:
        return f"id_{number}"
    length = getattr(column.type, "length", None)
    return TEXT if length is None else f"{column.name}_{number}"[-length:]


def rows_of(database: Database, table: Table) -> list[Any]:
    says_nothing = [column.is_(null()).label(f"{column.name} says nothing") for column in table.columns]
    query = select(*table.columns, *says_nothing).order_by(*table.primary_key.columns)
    with database.reading() as session:
        return [dict(row) for row in session.execute(query).mappings()]


def files_of(home: Home) -> dict[str, bytes]:
    paths = [path for folder in archive.FOLDERS for path in (home.root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(home.root).as_posix(): path.read_bytes() for path in paths}


def back_up(path: Path, database: Database, home: Home, *, with_base_models: bool = False) -> Manifest:
    for name, content in {**KEPT, **LEFT_OUT}.items():
        write_whole(home.root / name, content)
    return archive.write(
        path, database, home, metadata=METADATA, schema_revision="0001", with_base_models=with_base_models
    )


def bring_back(path: Path, database: Database, home: Home) -> Manifest:
    return restoring.restore(path, database, home, metadata=METADATA, schema_revision="0001")


def unpack(path: Path, staging: Path) -> None:
    restoring._unpack(path, staging, METADATA, "0001")


def is_untouched(database: Database, home: Home) -> bool:
    left = [path for path in home.root.iterdir() if path.name.startswith(".restore-")]
    with database.reading() as session:
        restoring._check_tables_empty(session.connection(), METADATA)
    return not left and files_of(home) == {}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("sqlite", "sqlite"),
        pytest.param("sqlite", "postgresql", marks=pytest.mark.postgresql),
        pytest.param("postgresql", "sqlite", marks=pytest.mark.postgresql),
        pytest.param("postgresql", "postgresql", marks=pytest.mark.postgresql),
    ],
)
def test_every_row_and_every_file_comes_back(
    make_any: MakeAny, home: Home, other_home: Home, tmp_path: Path, source: str, target: str
) -> None:
    old, new = make_any(source), make_any(target)
    fill(old)
    written = back_up(tmp_path / "all.tar", old, home)
    assert bring_back(tmp_path / "all.tar", new, other_home) == written
    for table in METADATA.sorted_tables:
        assert rows_of(new, table) == rows_of(old, table) != [], table.name
    assert files_of(other_home) == KEPT
    assert {path.stat().st_mode & 0o077 for path in other_home.root.rglob("*") if path.is_file()} == {0}


@EACH
def test_counted_ids_go_on_behind_those_that_came_back(
    make_any: MakeAny, home: Home, other_home: Home, tmp_path: Path, kind: str
) -> None:
    old, new = make_any("sqlite"), make_any(kind)
    fill(old)
    back_up(tmp_path / "all.tar", old, home)
    bring_back(tmp_path / "all.tar", new, other_home)
    counted = [table for table in METADATA.sorted_tables if table.autoincrement_column is not None]
    assert {table.name for table in counted} >= {"marks", "job_events", "votes"}
    unlike = {"seq": 9, "step": 9, "position": 9, "name": "another", "source_id": "another"}
    with new.transaction() as session:
        for table in counted:
            row = {each.name: value(each, 1) for each in table.columns if each.name != "id"}
            row |= {name: other for name, other in unlike.items() if name in row}
            made = session.execute(insert(table).values(row).returning(table.c.id)).scalar()
            assert made == 3, table.name


@EACH
def test_an_empty_database_can_be_backed_up_and_counts_from_one(
    make_any: MakeAny, home: Home, other_home: Home, tmp_path: Path, kind: str
) -> None:
    new = make_any(kind)
    archive.write(tmp_path / "all.tar", make_any("sqlite"), home, metadata=METADATA, schema_revision="0001")
    assert bring_back(tmp_path / "all.tar", new, other_home).num_rows == 0
    with new.transaction() as session:
        session.execute(insert(METADATA.tables["jobs"]), [{**first_row("jobs"), "state": "queued"}])
        row = {name: each for name, each in first_row("job_events").items() if name != "id"}
        events = METADATA.tables["job_events"]
        assert session.execute(insert(events).values(row).returning(events.c.id)).scalar() == 1


def first_row(table: str) -> dict[str, Any]:
    return {each.name: value(each, 1) for each in METADATA.tables[table].columns}


def test_base_models_come_along_only_when_asked(make_any: MakeAny, home: Home, tmp_path: Path) -> None:
    without = back_up(tmp_path / "without.tar", make_any("sqlite"), home)
    with_them = back_up(tmp_path / "with.tar", make_any("sqlite"), home, with_base_models=True)
    assert with_them.contents.keys() - without.contents.keys() == {"home/models/base/0f/model.safetensors"}
    assert with_them.secrets == ["engine-eng_1.key"]
    assert b"sk-1" not in (tmp_path / "with.tar").read_bytes()


def test_a_backup_sees_one_moment_though_others_write(make_any: MakeAny, home: Home, tmp_path: Path) -> None:
    database = make_any("sqlite")
    with database.snapshot() as connection:
        people = METADATA.tables["people"]
        assert connection.execute(select(people)).all() == []
        with database.transaction() as session:
            make_person(session, "Grace")
        assert connection.execute(select(people)).all() == []


@pytest.mark.postgresql
def test_a_backup_of_postgresql_sees_one_moment(make_any: MakeAny, home: Home, tmp_path: Path) -> None:
    test_a_backup_sees_one_moment_though_others_write(lambda _: make_any("postgresql"), home, tmp_path)


def test_a_backup_never_replaces_a_file(make_any: MakeAny, home: Home, tmp_path: Path) -> None:
    (tmp_path / "all.tar").write_text("mine")
    with pytest.raises(ArchiveExists):
        back_up(tmp_path / "all.tar", make_any("sqlite"), home)
    assert (tmp_path / "all.tar").read_text() == "mine"


def test_a_backup_that_fails_leaves_no_file(make_any: MakeAny, home: Home, tmp_path: Path) -> None:
    database = make_any("sqlite")
    with database.transaction() as session:
        METADATA.tables["votes"].drop(session.connection())
    with pytest.raises(Exception, match="votes"):
        back_up(tmp_path / "backups" / "all.tar", database, home)
    assert list((tmp_path / "backups").iterdir()) == []


@EACH
def test_nothing_is_restored_over_what_is_there(
    make_any: MakeAny, home: Home, other_home: Home, tmp_path: Path, kind: str
) -> None:
    old, new = make_any("sqlite"), make_any(kind)
    back_up(tmp_path / "all.tar", old, home)
    with pytest.raises(NotEmpty, match="folder"):
        bring_back(tmp_path / "all.tar", new, home)
    with new.transaction() as session:
        make_person(session, "Grace")
    with pytest.raises(NotEmpty, match="people"):
        bring_back(tmp_path / "all.tar", new, other_home)
    assert files_of(other_home) == {}


@EACH
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.97])
def test_a_cut_off_backup_is_refused_and_nothing_stays(
    make_any: MakeAny, home: Home, other_home: Home, tmp_path: Path, share: float, kind: str
) -> None:
    old, new = make_any("sqlite"), make_any(kind)
    fill(old)
    back_up(tmp_path / "all.tar", old, home)
    whole = (tmp_path / "all.tar").read_bytes().rstrip(b"\0")
    (tmp_path / "cut.tar").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ArchiveRefused):
        bring_back(tmp_path / "cut.tar", new, other_home)
    assert is_untouched(new, other_home)


def test_no_place_to_cut_makes_a_backup_look_whole(tmp_path: Path) -> None:
    write_tar(tmp_path / "all.tar", {"home/uploads/a": b"a" * 1200})
    whole = (tmp_path / "all.tar").read_bytes()
    for number, size in enumerate(range(0, whole.index(b"manifest.json") + 1024, 512)):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(ArchiveRefused):
            unpack(tmp_path / "cut.tar", tmp_path / str(number))


def test_every_byte_of_the_content_counts(make_any: MakeAny, home: Home, other_home: Home, tmp_path: Path) -> None:
    old, new = make_any("sqlite"), make_any("sqlite")
    fill(old)
    back_up(tmp_path / "all.tar", old, home)
    whole = (tmp_path / "all.tar").read_bytes()
    for place in (whole.index(b"name_1"), whole.index(bytes(range(256)))):
        (tmp_path / "changed.tar").write_bytes(whole[:place] + b"X" + whole[place + 1 :])
        with pytest.raises(ArchiveRefused, match="not as they were written"):
            bring_back(tmp_path / "changed.tar", new, other_home)
        assert is_untouched(new, other_home)


def write_tar(path: Path, members: dict[str, bytes], **changes: Any) -> None:
    """An archive whose manifest is right, as somebody with bad intentions would make it."""
    everything = {archive.table_name(name): b"" for name in METADATA.tables} | members
    contents = {
        name: archive.Content(hashlib.sha256(content).hexdigest(), len(content)) for name, content in everything.items()
    }
    tables = {name: everything[archive.table_name(name)].count(b"\n") for name in METADATA.tables}
    manifest = Manifest("0001", MOMENT.isoformat(), {}, [], False, tables=tables, contents=contents)
    with tarfile.open(path, "w") as tar:
        for name, content in everything.items():
            add(tar, tarfile.TarInfo(name), content)
        add(tar, tarfile.TarInfo("manifest.json"), json.dumps({**asdict(manifest), **changes}).encode())


def add(tar: tarfile.TarFile, member: tarfile.TarInfo, content: bytes) -> None:
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "home/../../evil",
        "home/uploads/../../evil",
        "home/uploads//evil",
        "home/uploads/./evil",
        "home/uploads/.hidden",
        "home/uploads/a\\b",
        "home/uploads/new\nline",
        "home/uploads",
        "home/secrets/engine-eng_1.key",
        "home/environments/trl/bin/python",
        "home/run/place.json",
        "home/goldsmith.db",
        "database/alembic_version.jsonl",
        "database/../people.jsonl",
        "uploads/a",
        "home/uploads/" + "a/" * 600 + "b",
    ],
)
def test_a_name_that_no_backup_has_is_refused(tmp_path: Path, name: str) -> None:
    write_tar(tmp_path / "bad.tar", {name: b"evil"})
    with pytest.raises(ArchiveRefused):
        unpack(tmp_path / "bad.tar", tmp_path / "staging")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        add(tar, tarfile.TarInfo("home/uploads/a"), b"")
        member = tarfile.TarInfo("home/uploads/b")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ArchiveRefused):
        unpack(tmp_path / "bad.tar", tmp_path / "staging")


@pytest.mark.parametrize(
    "headers",
    [
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99999999"},
        {"GNU.sparse.map": "0,1,2,3"},
        {"size": "-5"},
        {"comment": "x" * 100_000},
    ],
)
def test_tricks_with_headers_are_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        member = tarfile.TarInfo("home/uploads/a")
        member.pax_headers = headers
        add(tar, member, b"0\n" * 600)
    with pytest.raises(ArchiveRefused):
        unpack(tmp_path / "bad.tar", tmp_path / "staging")


PEOPLE = "database/people.jsonl"


@pytest.mark.parametrize(
    ("members", "changes"),
    [
        ({PEOPLE: b'{"id": "per_1"}\n'}, {}),
        ({PEOPLE: b'{"id": "per_1", "evil": 1}\n'}, {}),
        ({PEOPLE: b"[]\n"}, {}),
        ({PEOPLE: b"no json\n"}, {}),
        ({PEOPLE: b'{"id": "per_1", "name": "A", "domain": "x", "created_at": "soon"}\n'}, {}),
        ({PEOPLE: b'{"id": "per_1", "name": "A", "domain": "x", "created_at": "2026-01-01"}\n'}, {}),
        ({PEOPLE: b'{"id": "per_1", "name": "A", "domain": "x", "created_at": "2026-01-01T00:00:00+00:00"}'}, {}),
        ({"database/keys.jsonl": b'{"id": "key_1", "person_id": "none", "label": "", "sha256": ""}\n'}, {}),
        ({"home/uploads/a": b"", "home/uploads/a/b": b""}, {}),
        ({}, {"tables": {}}),
        ({}, {"schema_revision": "9999"}),
        ({}, {"format_version": 2}),
        ({}, {"format": "another"}),
        ({}, {"contents": []}),
    ],
)
def test_a_backup_that_does_not_fit_is_refused_and_nothing_stays(
    make_any: MakeAny, other_home: Home, tmp_path: Path, members: dict[str, bytes], changes: dict[str, Any]
) -> None:
    new = make_any("sqlite")
    write_tar(tmp_path / "bad.tar", {"home/uploads/x": b"x", **members}, **changes)
    with pytest.raises(ArchiveRefused):
        bring_back(tmp_path / "bad.tar", new, other_home)
    assert is_untouched(new, other_home)


def test_folders_that_were_moved_into_place_are_taken_back(home: Home, tmp_path: Path) -> None:
    for name in ("uploads/a", "jobs/job_1/log"):
        write_whole(tmp_path / "unpacked" / name, b"x")
    write_whole(home.jobs / "job_2" / "log", b"made in this very moment")
    with pytest.raises(OSError, match="not empty"), ExitStack() as moved:
        restoring._move_into_place(tmp_path / "unpacked", home, moved)
    assert files_of(home) == {"jobs/job_2/log": b"made in this very moment"}
    assert {path.stat().st_mode & 0o777 for path in (home.uploads, home.jobs)} == {0o700}


def test_another_programs_file_is_refused(make_any: MakeAny, other_home: Home, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8" * 5000)
    with pytest.raises(ArchiveRefused, match="no backup"):
        bring_back(tmp_path / "photo.jpg", make_any("sqlite"), other_home)


def test_texts_that_no_database_keeps_are_kept_and_found_alike_on_both(database: Database) -> None:
    table = METADATA.tables["people"]
    with database.transaction() as session:
        session.execute(insert(table), [{**first_row("people"), "name": "A\0da \ud800"}])
        session.execute(insert(table).values({**first_row("people"), "id": "id_2", "name": "Grace\0"}))
    with database.reading() as session:
        query = select(table.c.name).order_by(table.c.id)
        assert session.scalars(query).all() == ["A\ufffdda ?", "Grace\ufffd"]
        assert session.scalars(query.where(table.c.name == "Grace\0")).all() == ["Grace\ufffd"]
        assert session.scalars(query.where(table.c.id == "id_\0")).all() == []
