"""The way into Aristotle's database: read-only unless asked otherwise, always in UTC, never for long.

Every visit is one transaction that sees one moment. What goes wrong is told in words; the password is in none of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from goldsmith.connect.aristotle.names import TABLES, Catalogue, Layout, detect
from goldsmith.connect.errors import RoleMayNot, SchemaNotKnown, SourceNotAnswering, SourceNotConnected, WishNotPossible
from goldsmith.settings import AristotleSettings

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 60
LOCK_TIMEOUT_S = 5
_LIBPQ = {"sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs", "application_name"}
"""Of a URL's parameters, those that are PostgreSQL's; the others are Prisma's."""
_NO_RIGHT = ("42501", "25006")
_NO_SUCH_NAME = ("42P01", "42703", "42883")
_TOO_LONG = ("57014", "55P03")

_COLUMNS = text(
    "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
    " WHERE c.relname = ANY(CAST(:names AS text[])) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND a.attnum > 0 AND NOT a.attisdropped AND pg_catalog.pg_table_is_visible(c.oid)"
)


@dataclass(frozen=True)
class Place:
    """Where Aristotle's database is. Shown without its password."""

    url: URL = field(repr=False)
    schema: str | None = None

    @classmethod
    def of(cls, written: str) -> "Place":
        """From a URL as Prisma or PostgreSQL write it. Raises SourceNotConnected."""
        try:
            url = make_url(written.strip())
        except ArgumentError:
            raise SourceNotConnected("ARISTOTLE_DATABASE_URL is not a URL of a database.") from None
        if url.get_backend_name() not in ("postgresql", "postgres"):
            raise SourceNotConnected(f"Aristotle's database is a PostgreSQL; the URL begins with {url.drivername}.")
        schema = url.query.get("schema")
        kept = {name: value for name, value in url.query.items() if name in _LIBPQ}
        url = url.set(drivername="postgresql+psycopg", query=kept)
        return cls(url, schema if isinstance(schema, str) and schema else None)

    @classmethod
    def of_settings(cls, settings: AristotleSettings) -> "Place | None":
        """Where the settings say it is; None when they say nothing. Raises SourceNotConnected."""
        if settings.database_url is not None:
            return cls.of(settings.database_url.get_secret_value())
        if not settings.db_host:
            return None
        password = settings.db_password.get_secret_value() if settings.db_password is not None else None
        place = (settings.db_user, password, settings.db_host, settings.db_port, settings.db_name)
        return cls(URL.create("postgresql+psycopg", *place))

    def __str__(self) -> str:
        shown = f"{self.url.database or 'the database'} on {self.url.host or 'this machine'}"
        port = f":{self.url.port}" if self.url.port else ""
        return f"{shown}{port}" + (f", as {self.url.username}" if self.url.username else "")


@contextmanager
def reading(place: Place) -> Iterator[Connection]:
    """A visit that cannot write. Raises SourceNotAnswering, RoleMayNot, SchemaNotKnown."""
    with _visit(place, {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}) as connection:
        yield connection


@contextmanager
def writing(place: Place) -> Iterator[Connection]:
    """A visit that may write: all of it happens, or nothing. Raises as `reading` does."""
    with _visit(place, {"isolation_level": "READ COMMITTED", "postgresql_readonly": False}) as connection:
        yield connection


def read_settings() -> AristotleSettings:
    """What the environment says about Aristotle. Raises SourceNotConnected where a value cannot be one."""
    try:
        return AristotleSettings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = f"ARISTOTLE_{str(first['loc'][0]).upper()}"
        raise SourceNotConnected(f"{name} cannot be used: {first['msg']}.", hint=f"Set {name} anew.") from None


def catalogue(connection: Connection, names: Iterable[str] = TABLES) -> Catalogue:
    """Of the tables that Aristotle could have, those that are there, with their columns and types."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(_COLUMNS, {"names": list(names)}):
        found.setdefault(table, {})[column] = kind
    return found


def layout_of(connection: Connection) -> Layout:
    """How the database names things. Raises SchemaNotKnown."""
    return detect(catalogue(connection))


@contextmanager
def _visit(place: Place, options: Mapping[str, Any]) -> Iterator[Connection]:
    if find_spec("psycopg") is None:
        raise SourceNotConnected("psycopg is not installed.", hint="Run: pip install 'goldsmith[postgresql]'")
    arguments = {"connect_timeout": CONNECT_TIMEOUT_S}
    engine = create_engine(place.url, poolclass=NullPool, connect_args=arguments)
    try:
        with (
            _told(place),
            engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            _settle(connection, place.schema)
            yield connection
    finally:
        engine.dispose()


def _settle(connection: Connection, schema: str | None) -> None:
    """For this transaction: moments in UTC, nothing that takes long, the schema that the URL names."""
    local = {
        "timezone": "UTC",
        "statement_timeout": f"{STATEMENT_TIMEOUT_S}s",
        "lock_timeout": f"{LOCK_TIMEOUT_S}s",
    }
    if schema is not None:
        local["search_path"] = '"' + schema.replace('"', '""') + '"'
    for name, value in local.items():
        connection.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})


@contextmanager
def _told(place: Place) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        said = str(error.orig).strip().partition("\n")[0]
        if state in _NO_RIGHT:
            raise RoleMayNot(f"The role of {place} lacks a right: {said}.") from None
        if state in _NO_SUCH_NAME:
            raise SchemaNotKnown(f"The database is not as it was a moment ago: {said}.") from None
        if state in _TOO_LONG:
            raise SourceNotAnswering(f"{place} took too long: {said}.") from None
        if isinstance(error, OperationalError):
            raise SourceNotAnswering(f"{place} does not answer: {said}.") from None
        if state is not None and state.startswith(("22", "23")):
            raise WishNotPossible(f"{place} cannot take this value: {said}.") from None
        raise
