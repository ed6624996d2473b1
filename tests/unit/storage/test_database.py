"""Nothing is lost between processes, and who only reads writes nothing."""

import multiprocessing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, StatementError
from tests.factories import make_job, make_person

from goldsmith.jobs.tables import Job
from goldsmith.people.tables import PersonRow
from goldsmith.storage.database import Database

NUM_UPDATES = 200


def count_up(url: str) -> None:
    database = Database(url)
    for _ in range(NUM_UPDATES):
        with database.transaction() as session:
            query = select(PersonRow).where(PersonRow.id == "counter").with_for_update()
            row = session.scalars(query).one()
            row.name = str(int(row.name) + 1)
    database.dispose()


def connect(url: str) -> str:
    database = Database(url)
    with database.transaction() as session:
        mode = session.execute(text("PRAGMA journal_mode")).scalar_one()
    database.dispose()
    return str(mode)


def test_two_processes_that_read_then_write_lose_nothing(database: Database) -> None:
    with database.transaction() as session:
        session.add(PersonRow(id="counter", name="0", domain="local"))
    url = database.engine.url.render_as_string(hide_password=False)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(count_up, [url, url])
    with database.reading() as session:
        assert session.get_one(PersonRow, "counter").name == str(2 * NUM_UPDATES)


def test_many_processes_open_a_new_database_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map(connect, [f"sqlite:///{tmp_path / 'new.db'}"] * 8) == ["wal"] * 8


def test_an_exception_takes_everything_back(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:  # noqa: PT012
        make_person(session, "Grace")
        raise RuntimeError
    with database.reading() as session:
        assert session.scalars(select(PersonRow)).all() == []


def test_a_reading_session_refuses_every_way_of_writing(database: Database) -> None:
    with database.transaction() as session:
        make_person(session, "Grace")
    with pytest.raises(RuntimeError, match="reading session"), database.reading() as session:  # noqa: PT012
        session.scalars(select(PersonRow)).one().name = "Ada"
        session.flush()
    with pytest.raises(RuntimeError, match="reading session"), database.reading() as session:
        session.execute(update(PersonRow).values(name="Ada"))
    with pytest.raises(RuntimeError, match="reading session"), database.reading() as session:
        session.execute(insert(PersonRow), [{"id": "x", "name": "x", "domain": "x"}])
    with pytest.raises(DBAPIError), database.reading() as session:
        session.execute(text("UPDATE people SET name = 'Ada'"))
    with database.transaction() as session:  # and a connection that was used for reading can write again
        session.scalars(select(PersonRow)).one().name = "Mary"


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with database.transaction() as session:
        make_person(session, "Grace")
        with database.reading() as reading:
            assert reading.scalars(select(PersonRow)).all() == []


def test_references_must_lead_somewhere(database: Database) -> None:
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO job_events (job_id, attempt, source, seq, kind, data, at)"
                " VALUES ('job_none', 1, 'queue', 1, 'x', '{}', '2026-01-01 00:00:00')"
            )
        )


def test_moments_keep_their_place_in_time_and_come_back_in_utc(database: Database) -> None:
    there = datetime(2026, 3, 1, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5)))
    with database.transaction() as session:
        job = make_job(session)
        job.started_at = there
        job_id = job.id
    with database.reading() as session:
        found = session.get_one(Job, job_id).started_at
    assert found == there
    assert found is not None
    assert found.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), database.transaction() as session:
        make_job(session).started_at = datetime(2026, 3, 1)  # noqa: DTZ001


def test_what_json_has_no_word_for_becomes_null(database: Database) -> None:
    with database.transaction() as session:
        job = make_job(session, params={"loss": float("nan"), "all": [float("inf"), 1.5], "text": "ü\u2028"})
        job_id = job.id
    with database.reading() as session:
        assert session.get_one(Job, job_id).params == {"loss": None, "all": [None, 1.5], "text": "ü\u2028"}


def test_what_is_in_use_when_all_are_closed_is_closed_when_it_is_given_back(database: Database) -> None:
    """A thread that ends a moment later leaves no connection open behind it."""
    opened = []
    with database.reading() as session:
        session.execute(text("SELECT 1"))
        fairy = session.connection().connection
        opened.append(fairy.dbapi_connection)
        database.dispose()
        session.execute(text("SELECT 1"))
        assert is_open(opened[0])
    assert not is_open(opened[0])


def is_open(connection: Any) -> bool:
    try:
        connection.cursor()
    except Exception:  # noqa: BLE001 - every driver has its own
        return False
    return True
