"""Any SQL database: one SELECT gives the rows. Only read, streamed, and never for long at once.

PostgreSQL and SQLite come with Goldsmith; other databases need their driver beside it. How a database is kept from
writing is its own matter, so it is one function for each.
"""

import datetime as dt
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from pydantic import Field, SecretStr, field_validator
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from goldsmith.connect.sources import local, values
from goldsmith.connect.sources.errors import OptionsNotUsable, QueryRefused, SourceRefused, SourceSilent
from goldsmith.connect.sources.statement import MAX_CHARACTERS, one_select
from goldsmith.connect.sources.types import (
    BATCH_ROWS,
    Batch,
    FoundRow,
    Looked,
    NotTaken,
    Since,
    SourceOptions,
    Surroundings,
    revealed,
)

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 60
OVERLAP = dt.timedelta(minutes=5)
"""So far behind the last moment reading begins again: a row may become visible after one that has a later moment."""
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
DRIVERS |= {"mysql": "mysql+pymysql", "sqlite": "sqlite", "oracle": "oracle+oracledb", "mssql": "mssql+pyodbc"}
_PARAMETERS = {"sslmode", "charset", "application_name", "driver", "service_name"}
_REFUSED = ("42501", "25006", "28000", "28P01", "1045", "1142", "1044")


class SqlOptions(SourceOptions):
    """Where the database is, and which rows are meant."""

    address: Annotated[str, Field(min_length=1, max_length=1024)]
    """Such as postgresql://reader@db.example.org:5432/shop, or sqlite:////srv/shop.db for a file. Without the password.
    Use a role that may only read."""
    password: SecretStr | None = None
    """Of the role in the address. It is kept encrypted and never shown again."""
    query: Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS, json_schema_extra={"kind": "textarea"})]
    """One SELECT, such as SELECT id, question, answer, changed_at FROM tickets WHERE is_public"""
    id_column: Annotated[str, Field(min_length=1, max_length=200, title="Column that names a row")]
    """Its value never changes and no two rows share it. By it a row is known again."""
    changed_column: Annotated[str, Field(max_length=200, title="Column with the moment of the last change")] = ""
    """Then only what changed since the last time is read; a row without a moment is not. Left empty, everything is read
    each time, and what has changed or gone is told by comparing."""

    @field_validator("query")
    @classmethod
    def _is_one_select(cls, query: str) -> str:
        try:
            one_select(query)
        except QueryRefused as error:
            raise ValueError(error.message) from None
        return query

    @field_validator("address")
    @classmethod
    def _has_no_password(cls, address: str) -> str:
        try:
            url = url_of(address)
        except OptionsNotUsable as error:
            raise ValueError(error.message) from None
        if url.password:
            raise ValueError("Take the password out of the address; it has a field of its own, where it is encrypted")
        return address

    @classmethod
    def place_names(cls) -> tuple[str, ...]:
        """The password is the address's."""
        return ("address",)


class Sql:
    """The kind."""

    name: ClassVar[str] = "sql"
    title: ClassVar[str] = "A database"
    about: ClassVar[str] = "PostgreSQL, SQLite, MySQL and others: the rows of one SELECT, read without ever writing."
    Options: ClassVar[type[SourceOptions]] = SqlOptions

    def open(self, options: SqlOptions, surroundings: Surroundings) -> "SqlSource":
        """The database. Raises OptionsNotUsable, SourceRefused."""
        url = url_of(options.address)
        if url.get_backend_name() == "sqlite":
            path = local.allowed(Path(url.database or ""), surroundings)
            url = url.set(database=str(path))
        password = revealed(options.password)
        return SqlSource(url.set(password=password) if password else url, options)


@dataclass(frozen=True)
class SqlSource:
    """One query of one database."""

    _url: URL
    _options: SqlOptions

    def __repr__(self) -> str:
        return f"SqlSource({self.place})"

    @property
    def place(self) -> str:
        """Where it is, without the password."""
        url = self._url
        if url.get_backend_name() == "sqlite":
            return str(url.database)
        port = f":{url.port}" if url.port else ""
        return f"{url.database or 'the database'} on {url.host or 'this machine'}{port}, as {url.username or 'nobody'}"

    def look(self) -> Looked:
        """Which columns the query gives, and what keeps us from writing."""
        with self._visit() as (connection, guard):
            result = connection.execution_options(yield_per=1).execute(text(self._wrapped("")))
            columns = tuple(result.keys())
            first = result.fetchone()
            result.close()
        self._check_columns(columns)
        said = "It answers, and the query gives rows." if first is not None else "It answers; the query gives no row."
        return Looked(f"{self.place}: {said}", columns, (guard,))

    def fetch(self, since: Since) -> Iterator[Batch]:
        """All rows in the order of their ids, or what changed in the order of the changes."""
        is_by_change = bool(self._options.changed_column)
        condition, bound = self._changed_since(since) if is_by_change else self._behind(since)
        order = ", ".join(map(self._quoted, filter(None, (self._options.changed_column, self._options.id_column))))
        group = None if is_by_change else ""
        is_begun = not since.cursor
        with self._visit() as (connection, _):
            statement = text(self._wrapped(condition, f"ORDER BY {order}"))
            result = connection.execution_options(yield_per=BATCH_ROWS).execute(statement, bound)
            columns = tuple(result.keys())
            self._check_columns(columns)
            cursor: Mapping[str, Any] = since.cursor
            for found in result.partitions(BATCH_ROWS):
                rows, not_taken = self._rows(columns, [tuple(row) for row in found])
                cursor = self._cursor(columns, tuple(found[-1]))
                yield Batch(rows, cursor, not_taken, group, is_begun=is_begun)
                is_begun = False
                _go_on(connection)
        end = {**cursor, "is_over": True} if is_by_change and cursor else {}
        yield Batch((), end, group=group, is_begun=is_begun, is_ended=not is_by_change, group_state="read", share=1.0)

    def _rows(self, columns: Sequence[str], found: Sequence[Sequence[object]]) -> tuple[list[FoundRow], list[NotTaken]]:
        id_column, place = self._options.id_column, self._url.database or "the database"
        made = [values.row_of(columns, row, id_column=id_column, place=Path(place).name) for row in found]
        return (
            [each for each in made if isinstance(each, FoundRow)],
            [each for each in made if isinstance(each, NotTaken)],
        )

    def _cursor(self, columns: Sequence[str], last: Sequence[object]) -> dict[str, Any]:
        wanted = {"id": self._options.id_column, "changed": self._options.changed_column}
        return {name: values.packed(last[columns.index(column)]) for name, column in wanted.items() if column}

    def _behind(self, since: Since) -> tuple[str, dict[str, Any]]:
        if "id" not in since.cursor:
            return "", {}
        return f"WHERE {self._quoted(self._options.id_column)} > :id", {"id": values.unpacked(since.cursor["id"])}

    def _changed_since(self, since: Since) -> tuple[str, dict[str, Any]]:
        changed, key = self._quoted(self._options.changed_column), self._quoted(self._options.id_column)
        if "changed" not in since.cursor:
            return f"WHERE {changed} IS NOT NULL", {}
        moment = values.unpacked(since.cursor["changed"])
        if since.cursor.get("is_over"):
            moment = moment - OVERLAP if isinstance(moment, dt.datetime) else moment
            return f"WHERE {changed} >= :changed", {"changed": moment}
        bound = {"changed": moment, "same": moment, "id": values.unpacked(since.cursor["id"])}
        return f"WHERE ({changed} > :changed OR ({changed} = :same AND {key} > :id))", bound

    def _wrapped(self, condition: str, order: str = "") -> str:
        """Our own SELECT around theirs, in which a colon is a colon."""
        inner = one_select(self._options.query).replace(":", "\\:")
        return f"SELECT * FROM (\n{inner}\n) goldsmith_rows {condition} {order}"  # noqa: S608 - see statement.py

    def _quoted(self, name: str) -> str:
        quoted = self._url.get_dialect()().identifier_preparer.quote_identifier(name)
        return quoted.replace(":", "\\:")

    def _check_columns(self, columns: Sequence[str]) -> None:
        for name in filter(None, (self._options.id_column, self._options.changed_column)):
            if name not in columns:
                raise OptionsNotUsable(f"The query gives no column {name!r}. It gives: {', '.join(columns)}.")

    @contextmanager
    def _visit(self) -> Iterator[tuple[Connection, str]]:
        """One transaction that only reads, and what keeps it so."""
        engine = _engine(self._url)
        try:
            with self._told(), engine.connect() as connection:
                yield connection, _keep_from_writing(connection)
        finally:
            engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the database says, in words; never with the password."""
        try:
            yield
        except DBAPIError as error:
            said = str(error.orig).strip().partition("\n")[0].replace(self._url.password or "\0", "***")
            code = str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "args", ("",))[0])
            if code in _REFUSED or "authentication failed" in said:
                hint = "Check the role and its password, and that it may read these tables (GRANT SELECT)."
                raise SourceRefused(f"{self.place} does not let us do this: {said}.", hint=hint) from None
            if _is_away(error, said):
                hint = "Check host and port, that the database runs, and that it lets this machine in."
                raise SourceSilent(f"{self.place} does not answer, or not in time: {said}.", hint=hint) from None
            raise QueryRefused(f"{self.place} cannot run the query: {said}.", hint="Try it there, then here.") from None
        except SQLAlchemyError as error:
            raise OptionsNotUsable(f"{self.place} cannot be read: {error}.") from None


def url_of(address: str) -> URL:
    """The address with the driver that is used. Raises OptionsNotUsable."""
    try:
        url = make_url(address.strip())
    except ArgumentError:
        raise OptionsNotUsable("This is no address of a database, such as postgresql://reader@host/name.") from None
    name, _, driver = url.drivername.partition("+")
    if name not in DRIVERS:
        raise OptionsNotUsable(f"No database begins with {name[:40]}; there are: {', '.join(DRIVERS)}.")
    other = sorted(set(url.query) - _PARAMETERS)
    if other:
        raise OptionsNotUsable(f"The parameter {other[0][:40]} is not taken in an address.")
    return url if driver else url.set(drivername=DRIVERS[name])


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() == "sqlite":
            return create_engine("sqlite://", poolclass=NullPool, creator=lambda: _open_file(url.database or ""))
        arguments = {"connect_timeout": CONNECT_TIMEOUT_S} if url.get_backend_name() != "oracle" else {}
        return create_engine(url, poolclass=NullPool, connect_args=arguments)
    except (ModuleNotFoundError, NoSuchModuleError):
        driver = url.drivername.partition("+")[2]
        raise OptionsNotUsable(
            f"The driver for this database, {driver}, is not installed beside Goldsmith.",
            hint=f"Run: pip install {'goldsmith[postgresql]' if 'psycopg' in driver else driver}",
        ) from None


def _open_file(path: str) -> sqlite3.Connection:
    """A file that is opened for reading, whatever is asked of it."""
    return sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=CONNECT_TIMEOUT_S, check_same_thread=False)


def _keep_from_writing(connection: Connection) -> str:
    """Begin the transaction; says what keeps it from writing."""
    match connection.dialect.name:
        case "postgresql":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for name, value in (("statement_timeout", f"{STATEMENT_TIMEOUT_S}s"), ("lock_timeout", "5s")):
                connection.exec_driver_sql(f"SET LOCAL {name} = '{value}'")
            return "The database itself refuses to write in our transaction."
        case "sqlite":
            connection.exec_driver_sql("PRAGMA query_only=ON")
            connection.exec_driver_sql("PRAGMA trusted_schema=OFF")
            _go_on(connection)
            return "The file is opened for reading only."
        case "mysql" | "mariadb":
            connection.exec_driver_sql(f"SET SESSION max_execution_time={STATEMENT_TIMEOUT_S * 1000}")
            connection.exec_driver_sql("START TRANSACTION READ ONLY")
            return "The database itself refuses to write in our transaction."
        case "oracle":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            return "The database itself refuses to write in our transaction."
        case _:
            return "This database has no transaction that only reads: give it a role that may only read."


def _go_on(connection: Connection) -> None:
    """SQLite knows no time-out, so it asks us whether to go on; each batch has its own."""
    if connection.dialect.name != "sqlite":
        return
    file = connection.connection.driver_connection
    end = time.monotonic() + STATEMENT_TIMEOUT_S
    if isinstance(file, sqlite3.Connection):
        file.set_progress_handler(lambda: int(time.monotonic() > end), 100_000)


def _is_away(error: DBAPIError, said: str) -> bool:
    state = getattr(error.orig, "sqlstate", None) or ""
    is_query = "no such" in said or "syntax" in said or state.startswith("42")
    return not is_query and (
        error.connection_invalidated
        or state.startswith(("08", "53", "55", "57"))
        or type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout", "InterfaceError")
    )
