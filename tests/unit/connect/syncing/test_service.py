"""Connections: what is kept of them, what never is, and what may not be."""

import pytest
from sqlalchemy import select, text
from tests.syncing import Syncs, make_sqlite

from goldsmith.connect.errors import NotYourScope
from goldsmith.connect.sources.errors import SourceKindUnknown, SourceRefused
from goldsmith.connect.syncing import queries, service
from goldsmith.connect.syncing.errors import (
    ConnectionNameTaken,
    ConnectionNotFound,
    ConnectionNotUsable,
    RowWithoutSource,
)
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.connect.syncing.types import ConnectionChange, ConnectionDraft
from goldsmith.people.types import Person
from goldsmith.storage import sealing

SECRET = "s3cret-word"
SHOP = {"address": "postgresql://reader@127.0.0.1:1/shop", "query": "SELECT * FROM t", "id_column": "id"}


def change(syncs: Syncs, connection: SourceConnection, **options: object) -> bool:
    with syncs.database.transaction() as session:
        wanted = ConnectionChange(connection.name, {**connection.options, **options})
        return service.change(session, syncs.home, connection.id, wanted, by=syncs.person)[1]


def test_a_password_is_sealed_and_in_no_table(syncs: Syncs) -> None:
    connection = syncs.connect("sql", {**SHOP, "password": SECRET})
    assert "password" not in connection.options
    with syncs.database.reading() as session:
        assert SECRET not in str(session.execute(text("SELECT * FROM source_connections")).all())
    assert sealing.read(syncs.home, connection.id) == {"password": SECRET}
    opened = service.opened(syncs.home, connection)
    assert SECRET not in repr(opened)


def test_a_change_keeps_the_password_unless_it_would_go_to_another_place(syncs: Syncs) -> None:
    connection = syncs.connect("sql", {**SHOP, "password": SECRET})
    assert not change(syncs, connection, query="SELECT id FROM t", password="")
    assert sealing.read(syncs.home, connection.id) == {"password": SECRET}
    assert change(syncs, connection, address="postgresql://reader@127.0.0.1:2/shop")
    assert sealing.read(syncs.home, connection.id) == {}
    assert not change(syncs, connection, address="postgresql://reader@127.0.0.1:3/shop", password="another")
    assert sealing.read(syncs.home, connection.id) == {"password": "another"}


def test_removing_forgets_the_password(syncs: Syncs) -> None:
    connection = syncs.connect("sql", {**SHOP, "password": SECRET})
    with syncs.database.transaction() as session:
        service.remove(session, syncs.home, connection.id, by=syncs.person)
    assert not service.has_secrets(syncs.home, connection)
    with syncs.database.reading() as session, pytest.raises(ConnectionNotFound):
        queries.one(session, connection.id, domain="local")


def test_other_options_are_read_from_the_beginning_and_bring_nothing_twice(syncs: Syncs) -> None:
    address = make_sqlite(syncs.folder / "shop.db")
    options = {"address": address, "query": "SELECT id, question FROM tickets", "id_column": "id"}
    connection = syncs.connect("sql", options)
    syncs.sync(connection.id)
    change(syncs, connection, query="SELECT id, question FROM tickets WHERE id > 1")
    result = syncs.sync(connection.id)
    assert (result["num_new"], result["num_changed"], result["num_gone"]) == (0, 0, 1)


def test_where_answers_go_changes_nothing_that_is_read_and_older_connections_do_not_say_it(syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    syncs.sync(connection.id)
    with syncs.database.transaction() as session:  # as an older Goldsmith kept it
        kept = session.get_one(SourceConnection, connection.id)
        kept.options = {name: value for name, value in kept.options.items() if name != "offer_answers"}
    change(syncs, connection, offer_answers=True)
    with syncs.database.reading() as session:
        assert session.get_one(SourceConnection, connection.id).options["offer_answers"] is True
    (syncs.folder / "tickets.csv").unlink()
    syncs.write([(9, "nine?", "9")], "other.csv")
    result = syncs.sync(connection.id)
    assert (result["num_new"], result["num_gone"]) == (1, 3), "it is known what was there"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"address": f"postgresql://reader:{SECRET}@h/d"}, "address: Take the password out"),
        ({"address": "ftp://h/d"}, "address: No database begins with ftp"),
        ({"address": "postgresql://h/d?options=-c%20x"}, "address: The parameter options"),
        ({"query": "DELETE FROM t"}, "query: .*DELETE"),
        ({"id_column": ""}, "id_column"),
        ({"surprise": "1"}, "surprise"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field_and_without_what_was_typed(
    syncs: Syncs, options: dict[str, str], why: str
) -> None:
    with pytest.raises(ConnectionNotUsable, match=why) as told:
        syncs.connect("sql", {**SHOP, **options})
    assert SECRET not in told.value.message


def test_names_kinds_and_times_are_checked(syncs: Syncs) -> None:
    syncs.connect("sql", SHOP)
    with pytest.raises(ConnectionNameTaken):
        syncs.connect("sql", SHOP)
    with pytest.raises(ConnectionNotUsable, match="no name"):
        syncs.connect("sql", SHOP, name="  ")
    with pytest.raises(SourceKindUnknown, match="There are: sql"):
        syncs.connect("fax", {}, name="other")
    with pytest.raises(ConnectionNotUsable, match="every 5 to"):
        syncs.connect("sql", SHOP, name="other", every_minutes=1)


def test_goldsmiths_own_folder_and_what_was_not_named_are_never_read(syncs: Syncs) -> None:
    for path, why in ((syncs.home.root, "own folder"), (syncs.home.secrets, "own folder"), ("/etc", "outside")):
        connection = syncs.connect("folder", {"path": str(path)}, name=str(path))
        with pytest.raises(SourceRefused, match=why):
            service.test_kept(syncs.home, connection, syncs.surroundings)
    (syncs.folder / "link").symlink_to("/etc")
    connection = syncs.connect("folder", {"path": str(syncs.folder / "link")}, name="a link")
    with pytest.raises(SourceRefused, match="outside"):
        service.test_kept(syncs.home, connection, syncs.surroundings)


def test_only_those_who_run_goldsmith_connect_anything_and_nobody_sees_the_others(syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    syncs.sync(connection.id)
    row_id = syncs.rows(connection.id)[0].id
    guest = Person("per_guest", "Guest", "acme.example")
    with syncs.database.transaction() as session:
        with pytest.raises(NotYourScope):
            service.add(session, syncs.home, ConnectionDraft("x", "sql", SHOP), by=guest)
        with pytest.raises(ConnectionNotFound):
            service.sync(session, connection.id, by=guest)
        with pytest.raises(RowWithoutSource):
            service.origin(session, row_id, by=guest)
        assert queries.page(session, domain=guest.domain) == []


def test_to_ask_twice_is_one_sync(syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    assert syncs.queue(connection.id) == syncs.queue(connection.id)
    with syncs.database.reading() as session:
        assert len(session.scalars(select(SourceConnection)).all()) == 1
