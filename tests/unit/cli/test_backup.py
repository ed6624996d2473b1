"""`backup`, `restore` and `migrate` as people call them."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from tests.factories import make_base_model, make_person
from tests.postgresql import run_sql

from goldsmith import app, migrations
from goldsmith.cli import main
from goldsmith.migrations.tables import METADATA
from goldsmith.models.types import SMOLLM2
from goldsmith.serve.tables import Engine
from goldsmith.settings import Settings
from goldsmith.storage.files import write_whole
from goldsmith.webhooks import service as webhooks


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database is migrated already: that takes a second."""
    home = tmp_path_factory.mktemp("migrated")
    parts = app.assemble(Settings(home=home, database_url=None))
    app.prepare_database(parts)
    parts.database.dispose()
    return home


@pytest.fixture
def home(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GOLDSMITH_DATABASE_URL", raising=False)
    return make_home(migrated, tmp_path / "home", monkeypatch)


def make_home(migrated: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(migrated, home)
    monkeypatch.setenv("GOLDSMITH_HOME", str(home))
    return home


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["goldsmith", *argv])
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def fill(home: Path) -> None:
    parts = app.assemble(Settings(home=home, database_url=None))
    with parts.database.transaction() as session:
        ada = make_person(session, os.environ.get("USER", "root"))
        make_base_model(session, by=ada, name=SMOLLM2.name, source="builtin")
        make_base_model(session, by=ada, name="mine")
        make_base_model(session, by=ada, name="Org/Small", source="hub", hub_id="Org/Small")
        owned: dict[str, Any] = {"domain": ada.domain, "created_by": ada.id}
        for kind in ("ours", "provider"):
            session.add(Engine(id=f"eng_{kind}", name=f"the {kind} one", kind=kind, **owned))
            write_whole(home / "secrets" / f"engine-eng_{kind}.key", "sk-1")
        write_whole(home / "secrets" / "hub.token", "hf_1")
        webhooks.add(session, parts.home, "https://127.0.0.1/told", by=ada, own_hosts=["127.0.0.1"])
    parts.database.dispose()
    write_whole(home / "uploads" / "ab", "question\n")


def test_a_backup_comes_back_in_an_empty_home_and_says_what_to_do_then(
    home: Path,
    migrated: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(home)
    file = str(tmp_path / "all.tar")
    code, out, _ = run(monkeypatch, capsys, "backup", file)
    assert (code, "and 1 files to" in out, "secrets and base models" in out) == (0, True, True)
    new = make_home(migrated, tmp_path / "new", monkeypatch)
    code, out, err = run(monkeypatch, capsys, "restore", file, "--json")
    assert code == 0, err
    said = json.loads(out)
    assert [key["file"] for key in said["keys_to_enter"]] == [str(new / "secrets" / "engine-eng_provider.key")]
    assert {each["command"] for each in said["models_to_fetch"]} == {
        f"goldsmith models get {SMOLLM2.name}",
        "goldsmith models import PATH --name mine",
        "goldsmith models get Org/Small",
    }
    assert said["token_to_enter"] == "goldsmith models token"
    assert [each["webhook"] for each in said["webhooks_to_renew"]] == ["https://127.0.0.1/told"]
    assert said["webhooks_to_renew"][0]["command"].startswith("goldsmith webhooks renew ")
    assert (new / "uploads" / "ab").read_text() == "question\n"
    assert list((new / "secrets").iterdir()) == []
    code, out, _ = run(monkeypatch, capsys, "models", "get", SMOLLM2.name, "--no-wait", "--json")
    assert (code, json.loads(out)["state"]) == (0, "queued")


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("backup", "there.tar"), 5, "Choose another name"),
        (("backup", "there.tar/all.tar"), 7, "Make room"),
        (("restore", "there.tar"), 5, "Set GOLDSMITH_HOME to an empty folder"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: tuple[str, str],
    code: int,
    words: str,
) -> None:
    fill(home)
    (tmp_path / "there.tar").write_text("mine")
    ended, _, err = run(monkeypatch, capsys, argv[0], str(tmp_path / argv[1]))
    assert (ended, words in err) == (code, True), err


def test_a_file_that_is_no_backup_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ada,\n" * 500)
    code, _, err = run(monkeypatch, capsys, "restore", str(tmp_path / "letter.txt"))
    assert (code, "Nothing was changed" in err) == (2, True)
    assert sorted(path.name for path in home.iterdir() if path.name.startswith(".")) == []


def test_migrating_says_where_the_database_stands(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(monkeypatch, capsys, "migrate")
    assert (code, out) == (0, f"The database is at {migrations.HEAD} already.\n")


def test_an_empty_home_is_migrated_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOLDSMITH_HOME", str(tmp_path / "empty"))
    monkeypatch.delenv("GOLDSMITH_DATABASE_URL", raising=False)
    code, out, _ = run(monkeypatch, capsys, "migrate", "--json")
    assert (code, json.loads(out)) == (0, {"revision": migrations.HEAD, "said": "Made a new database."})


@pytest.mark.postgresql
def test_a_backup_of_a_file_comes_back_in_postgresql_and_from_there_in_a_file(
    home: Path,
    migrated: Path,
    tmp_path: Path,
    postgresql_server: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(home)
    name = f"goldsmith_restored_{uuid4().hex[:12]}"
    run_sql(postgresql_server, f"CREATE DATABASE {name}")
    try:
        first, second = str(tmp_path / "first.tar"), str(tmp_path / "second.tar")
        assert run(monkeypatch, capsys, "backup", first)[0] == 0
        monkeypatch.setenv("GOLDSMITH_HOME", str(tmp_path / "there"))
        monkeypatch.setenv("GOLDSMITH_DATABASE_URL", f"{postgresql_server}/{name}")
        code, out, err = run(monkeypatch, capsys, "restore", first)
        assert (code, "Enter the key of the provider one again" in out) == (0, True), err
        assert run(monkeypatch, capsys, "backup", second)[0] == 0
        assert run(monkeypatch, capsys, "restore", second)[0] == 5, "it was restored over what is there"
    finally:
        run_sql(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")
    monkeypatch.delenv("GOLDSMITH_DATABASE_URL")
    back = make_home(migrated, tmp_path / "back", monkeypatch)
    assert run(monkeypatch, capsys, "restore", second)[0] == 0
    assert tables_of(back) == tables_of(home)
    assert (back / "uploads" / "ab").read_text() == "question\n"


def tables_of(home: Path) -> dict[str, list[Any]]:
    parts = app.assemble(Settings(home=home, database_url=None))
    with parts.database.reading() as session:
        found = {table.name: [tuple(row) for row in session.execute(select(table))] for table in METADATA.sorted_tables}
    parts.database.dispose()
    return {name: sorted(rows, key=str) for name, rows in found.items()}
