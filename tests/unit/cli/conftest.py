"""The command line as programs call it, over a home of the test's own."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from tests.factories import make_person

from goldsmith import app
from goldsmith.cli import main
from goldsmith.people.types import Person
from goldsmith.settings import Settings
from goldsmith.storage.files import Home


@pytest.fixture(scope="session")
def home_with_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database is migrated already: that takes a second, and every test wants one."""
    home = tmp_path_factory.mktemp("schema")
    parts = app.assemble(Settings(home=home, database_url=None))
    app.prepare_database(parts)
    parts.database.dispose()
    return home


@dataclass(frozen=True)
class Line:
    """The command line, and what it works on."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    parts: app.Parts

    @property
    def home(self) -> Home:
        return self.parts.home

    @contextmanager
    def filling(self) -> Iterator[tuple[Session, Person]]:
        """A transaction in which the test writes what there should be."""
        with self.parts.database.transaction() as session:
            yield session, make_person(session)

    def run(self, *argv: str) -> tuple[int, str, str]:
        """Exit code, what was printed, what was said."""
        self.monkeypatch.setattr(sys, "argv", ["goldsmith", "--as", "Ada", *argv])
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = self.capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    def json(self, *argv: str) -> Any:
        """What a program reads."""
        code, out, err = self.run(*argv, "--json")
        assert code == 0, err
        return json.loads(out)

    def error(self, *argv: str) -> tuple[int, dict[str, str]]:
        """The exit code and the problem that a program reads."""
        code, _, err = self.run(*argv, "--json")
        problem: dict[str, str] = json.loads(err.splitlines()[-1])
        return code, problem


@pytest.fixture
def line(
    home_with_schema: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Line]:
    home = tmp_path / "home-of-line"
    shutil.copytree(home_with_schema, home)
    monkeypatch.setenv("GOLDSMITH_HOME", str(home))
    monkeypatch.delenv("GOLDSMITH_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    parts = app.assemble(Settings(home=home, database_url=None))
    yield Line(monkeypatch, capsys, parts)
    parts.database.dispose()
