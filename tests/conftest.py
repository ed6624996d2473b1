"""What all tests share: an empty home, a database of each kind, a person.

`database` is SQLite, and PostgreSQL too when GOLDSMITH_TEST_POSTGRESQL=1 (a server is started) or
GOLDSMITH_TEST_POSTGRESQL_URL names one on which databases may be made.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings
from tests import accounts, postgresql
from tests.contract import ran_on
from tests.factories import MakeDatabase

from goldsmith.migrations.tables import METADATA
from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

# What is asserted in a suite that others run is told as well as in a test file.
pytest.register_assert_rewrite(
    *(
        f"goldsmith.testing.contracts.{name}"
        for name in ("trainings", "interrupted", "job_folder", "sources", "measures")
    )
)


def pytest_configure(config: pytest.Config) -> None:
    """Let no test be passed over in silence where it counts."""
    accounts.register(config)
    ran_on.register(config)
    # How long an example takes says how busy the machine is, nothing about the code.
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home folder."""
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def person(database: Database) -> Person:
    """Somebody in the database."""
    with database.transaction() as session:
        return people.known_by_name(session, "Ada")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with all tables and nothing in them, for this test alone."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "goldsmith.db")
        return f"sqlite:///{tmp_path / 'goldsmith.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def make_database(database_url: str) -> Iterator[MakeDatabase]:
    """Open the test's database once more, as another process would."""
    opened: list[Database] = []

    def make(**session_info: Any) -> Database:
        opened.append(Database(database_url, session_info=session_info))
        return opened[-1]

    yield make
    for database in opened:
        database.dispose()


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    """A database with all tables and nothing in them."""
    return make_database()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    database = Database(f"sqlite:///{path}")
    with database.transaction() as session:
        METADATA.create_all(session.connection())
    database.dispose()  # the last connection moves everything from the log into the file
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server, without a database's name."""
    given = os.environ.get("GOLDSMITH_TEST_POSTGRESQL_URL")
    if given:
        yield given.rpartition("/")[0] if given.count("/") > 2 else given
        return
    if os.environ.get("GOLDSMITH_TEST_POSTGRESQL") != "1":
        pytest.skip("tests on PostgreSQL run with GOLDSMITH_TEST_POSTGRESQL=1")
    with postgresql.running() as server:
        yield server.url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> Iterator[str]:
    """The name of a database with all tables, to be copied."""
    name = f"goldsmith_template_{uuid4().hex[:12]}"
    postgresql.run_sql(postgresql_server, f"CREATE DATABASE {name}")
    database = Database(f"{postgresql_server}/{name}")
    with database.transaction() as session:
        METADATA.create_all(session.connection())
    database.dispose()
    yield name
    postgresql.run_sql(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def make_postgresql_url(postgresql_server: str, postgresql_template: str) -> Iterator[Callable[[], str]]:
    """Makes fresh databases on PostgreSQL, with all tables and nothing in them; returns their URLs."""
    names: list[str] = []

    def make() -> str:
        names.append(f"goldsmith_test_{uuid4().hex[:12]}")
        postgresql.run_sql(postgresql_server, f"CREATE DATABASE {names[-1]} TEMPLATE {postgresql_template}")
        return f"{postgresql_server}/{names[-1]}"

    yield make
    for name in names:
        postgresql.run_sql(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql_url(make_postgresql_url: Callable[[], str]) -> str:
    """The URL of a fresh database on PostgreSQL."""
    return make_postgresql_url()
