"""A sync brings every row in once, says where it came from, goes on where it was, and overwrites nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from tests.syncing import TICKETS, Syncs, make_sqlite

from goldsmith.connect.sources.errors import SourceSilent
from goldsmith.connect.syncing import queries, service
from goldsmith.connect.syncing.jobs import SyncKeeper
from goldsmith.connect.syncing.tables import RowOrigin, SourceConnection, SourceItem, SourceSync
from goldsmith.data.tables import DatasetVersion, Row
from goldsmith.jobs.tables import Job
from goldsmith.storage import clock


def num_versions(syncs: Syncs) -> int:
    with syncs.database.reading() as session:
        return session.scalar(select(func.count()).select_from(DatasetVersion)) or 0


def test_rows_come_in_once_and_say_where_they_came_from(syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    first = syncs.sync(connection.id)
    assert (first["num_read"], first["num_new"], first["num_changed"]) == (3, 3, 0)
    again = syncs.sync(connection.id)
    assert (again["num_read"], again["num_new"], num_versions(syncs)) == (0, 0, 1), "nothing new makes no version"
    rows = syncs.rows(connection.id)
    assert [row.content["question"] for row in rows] == ["one?", "two?", "three?"]
    with syncs.database.reading() as session:
        found = queries.origin(session, rows[1].id, domain=syncs.person.domain)
    assert found is not None
    assert (found[0].source_id, found[0].place, found[1].name) == ("2", "tickets.csv, row 2", "tickets")


def test_a_changed_row_makes_a_new_version_and_the_earlier_one_stays(syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    first = syncs.sync(connection.id)
    syncs.write([(1, "one?", "1"), (2, "two, please?", "2"), (4, "four?", "4")])
    second = syncs.sync(connection.id)
    assert (second["num_new"], second["num_changed"], second["num_gone"]) == (1, 1, 1)
    questions = [row["question"] for row in syncs.contents(connection.id)]
    assert questions == ["one?", "two, please?", "four?"]
    with syncs.database.reading() as session:
        old = session.get_one(DatasetVersion, first["version_id"])
        new = session.get_one(DatasetVersion, second["version_id"])
        assert (old.number, old.num_rows, new.number, new.num_rows) == (1, 3, 2, 3)
        assert old.content_hash != new.content_hash


def test_a_row_that_is_there_twice_is_named_and_taken_once(syncs: Syncs) -> None:
    connection = syncs.connect_folder([(1, "one?", "1"), (1, "one again?", "1"), (2, "two?", "2")])
    result = syncs.sync(connection.id)
    assert (result["num_new"], result["num_not_taken"]) == (2, 1)
    with syncs.database.reading() as session:
        listed = session.scalars(select(SourceSync)).one().not_taken
    assert listed == [{"place": "tickets.csv, row 2", "reason": "another row has the id '1' as well"}]


@pytest.mark.parametrize("kind", ["sql", "folder"])
def test_a_sync_that_was_stopped_anywhere_goes_on_and_nothing_comes_twice(syncs: Syncs, kind: str) -> None:
    """Stopped after every single transaction once, as a kill would."""
    tickets = [(number, f"question {number}?", str(number)) for number in range(1, 1801)]
    if kind == "folder":
        connection = syncs.connect_folder(tickets)
    else:
        address = make_sqlite(syncs.folder / "shop.db", tickets)
        options = {"address": address, "query": "SELECT * FROM tickets", "id_column": "id"}
        connection = syncs.connect("sql", options)
    job_id = syncs.queue(connection.id)
    for _ in range(6):
        syncs.work(job_id, lambda: True)
    result = syncs.work(job_id)
    assert result["num_new"] == 1800
    with syncs.database.reading() as session:
        items = session.scalar(select(func.count()).select_from(SourceItem))
        rows = session.scalar(select(func.count()).select_from(Row))
        origins = session.scalar(select(func.count(RowOrigin.source_id.distinct())))
    assert (items, rows, origins, num_versions(syncs)) == (1800, 1800, 1800, 1)


def test_what_a_killed_sync_had_written_of_a_version_is_taken_away(syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    with syncs.database.transaction() as session:
        half = DatasetVersion(
            id="dv_half",
            dataset_id=connection.dataset_id,
            number=1,
            columns=[],
            bad_rows=[],
            source_name="tickets",
            source_sha256="",
            domain="local",
            created_by=syncs.person.id,
        )
        session.add(half)
        session.flush()
        session.add(Row(id="row_half", dataset_version_id="dv_half", position=1, content={}, content_hash="0"))
        session.flush()
        origin = {"row_id": "row_half", "connection_id": connection.id, "source_id": "1", "sync_id": "syn_dead"}
        session.add(RowOrigin(**origin, content_hash="0", fetched_at=clock.now()))
    syncs.sync(connection.id)
    with syncs.database.reading() as session:
        assert session.get(Row, "row_half") is None
        assert session.scalar(select(func.count()).select_from(Row)) == 3


def test_a_folder_whose_files_are_all_away_changes_nothing(syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    syncs.sync(connection.id)
    (syncs.folder / "tickets.csv").unlink()
    with pytest.raises(SourceSilent, match="none of its 1 files"):
        syncs.work(syncs.queue(connection.id))
    assert len(syncs.rows(connection.id)) == len(TICKETS)


def test_its_time_comes_and_only_one_sync_is_at_it(syncs: Syncs) -> None:
    connection = syncs.connect_folder(every_minutes=30)
    keeper = SyncKeeper(syncs.database)
    keeper.tick(clock.now())
    with syncs.database.reading() as session:
        job = session.scalars(select(Job)).one()
        assert session.scalars(select(SourceSync)).one().is_scheduled
        next_at = session.get_one(SourceConnection, connection.id).next_sync_at
    assert next_at is not None
    assert timedelta(minutes=29) < next_at - clock.now() <= timedelta(minutes=30)
    SyncKeeper(syncs.database).tick(clock.now() + timedelta(hours=2))
    with syncs.database.reading() as session:
        assert session.scalars(select(Job.id)).all() == [job.id], "one that still waits is not begun again"
    syncs.work(job.id)
    SyncKeeper(syncs.database).tick(clock.now() + timedelta(hours=2))
    with syncs.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 2


def test_what_was_removed_is_read_no_more_and_its_rows_stay(syncs: Syncs) -> None:
    connection = syncs.connect_folder(every_minutes=30)
    syncs.sync(connection.id)
    rows = syncs.rows(connection.id)
    job_id = syncs.queue(connection.id)
    with syncs.database.transaction() as session:
        service.remove(session, syncs.home, connection.id, by=syncs.person)
    SyncKeeper(syncs.database).tick(clock.now() + timedelta(days=2))
    with syncs.database.reading() as session:
        assert session.get_one(Job, job_id).state == "cancelled"
        assert session.scalar(select(func.count()).select_from(Job)) == 2
        found = queries.origin(session, rows[0].id, domain="local")
    assert found is not None
    assert found[1].name == "tickets", "a row still leads back to where it came from"
