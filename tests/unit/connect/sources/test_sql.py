"""A database is only read, in constant memory, and its answers are told in words."""

import sqlite3
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from goldsmith.connect.sources import sql
from goldsmith.connect.sources.errors import OptionsNotUsable, QueryRefused, SourceRefused, SourceSilent
from goldsmith.connect.sources.sql import Sql, SqlOptions, SqlSource
from goldsmith.connect.sources.types import Since, Surroundings


def opened(folder: Path, **options: Any) -> SqlSource:
    given = {"address": f"sqlite:///{folder / 'shop.db'}", "query": "SELECT * FROM t", "id_column": "id", **options}
    return Sql().open(SqlOptions(**given), Surroundings((folder,), folder / "own"))


def fill(folder: Path, num_rows: int, characters: int = 10) -> None:
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
        rows = ((number, f"{number} " + "x" * characters) for number in range(1, num_rows + 1))
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    connection.close()


def test_nothing_can_be_written_even_where_the_query_was_let_through(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    with opened(tmp_path)._visit() as (connection, guard):
        assert "reading only" in guard
        with pytest.raises(OperationalError, match="readonly"):
            connection.exec_driver_sql("INSERT INTO t VALUES (9, 'x')")


def test_memory_stays_the_same_however_many_rows_there_are(tmp_path: Path) -> None:
    peaks = []
    for name, num_rows in (("few", 2_000), ("many", 40_000)):
        (tmp_path / name).mkdir()
        fill(tmp_path / name, num_rows, characters=500)
        source = opened(tmp_path / name)
        tracemalloc.start()
        assert sum(len(batch.rows) for batch in source.fetch(Since())) == num_rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0], peaks


def test_a_query_that_takes_too_long_is_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 1)
    monkeypatch.setattr(sql, "STATEMENT_TIMEOUT_S", 0.1)
    endless = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT max(id) AS id FROM n"
    with pytest.raises(SourceSilent, match="not in time"):
        opened(tmp_path, query=endless).look()


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"query": "SELECT * FROM missing"}, QueryRefused, "no such table"),
        ({"query": "SELECT id FROM t WHERE"}, QueryRefused, "syntax"),
        ({"id_column": "number"}, OptionsNotUsable, "no column 'number'. It gives: id, text"),
        ({"changed_column": "at"}, OptionsNotUsable, "no column 'at'"),
        ({"address": "sqlite:////etc/shop.db"}, SourceRefused, "outside of the folders"),
        ({"address": "mysql://reader@127.0.0.1/shop"}, OptionsNotUsable, "pymysql, is not installed"),
        ({"address": "postgresql://reader@127.0.0.1:1/shop"}, SourceSilent, "shop on 127.0.0.1:1, as reader"),
    ],
)
def test_what_is_wrong_is_said_in_words(tmp_path: Path, options: Any, error: type[Exception], why: str) -> None:
    fill(tmp_path, 1)
    with pytest.raises(error, match=why):
        opened(tmp_path, **options).look()


def test_a_quote_in_a_columns_name_is_a_part_of_it(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    name = 'a"; DROP TABLE t; --:x'
    source = opened(tmp_path, query='SELECT id AS "a""; DROP TABLE t; --:x" FROM t', id_column=name)
    assert [row.source_id for batch in source.fetch(Since()) for row in batch.rows] == ["1", "2", "3"]


def test_only_what_changed_is_read_and_nothing_is_left_out_when_moments_are_equal(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT, at INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?, 'x', 7)", [(number,) for number in range(1, 1201)])
        connection.execute("INSERT INTO t VALUES (5000, 'never changed', NULL)")
    connection.close()
    source = opened(tmp_path, changed_column="at")
    batches = list(source.fetch(Since()))
    assert sum(len(batch.rows) for batch in batches) == 1200
    rest = list(source.fetch(Since(batches[0].cursor)))
    assert sum(len(batch.rows) for batch in rest) == 700, "it goes on behind the id, although all have one moment"
    again = list(source.fetch(Since(batches[-1].cursor)))
    assert sum(len(batch.rows) for batch in again) == 1200, "those of the last moment come again, and do no harm"


@pytest.mark.postgresql
def test_postgresql_itself_refuses_to_write(postgresql_url: str) -> None:
    source = Sql().open(
        SqlOptions(address=postgresql_url, query="SELECT 1 AS id", id_column="id"),
        Surroundings((), Path("/nowhere")),
    )
    assert source.look().columns == ("id",)

    def write(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE made_by_us (id int)")

    with pytest.raises(SourceRefused, match="read-only transaction"), source._visit() as (connection, _):
        write(connection)
    sleepy = SqlOptions(address=postgresql_url, query="SELECT id, pg_sleep(0) FROM missing", id_column="id")
    with pytest.raises(QueryRefused, match="missing"):
        Sql().open(sleepy, Surroundings((), Path("/nowhere"))).look()
