"""Who may say that something has changed, and that it is read then: once, soon, and once more after a reading."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.label_studio_stand_in import PROJECT, TOKEN, Studio, serving
from tests.syncing import Syncs

from goldsmith.connect.sources.errors import OptionsNotUsable
from goldsmith.connect.syncing import queries, service
from goldsmith.connect.syncing.errors import ConnectionNotFound
from goldsmith.connect.syncing.jobs import SyncKeeper
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.connect.syncing.telling import HookMint
from goldsmith.storage import clock
from goldsmith.storage.files import Home


@pytest.fixture
def studio() -> Iterator[Studio]:
    with serving() as made:
        made.put(1, question="one?")
        yield made


def connect(syncs: Syncs, studio: Studio, **options: object) -> SourceConnection:
    return syncs.connect("label_studio", {"address": studio.url, "project": PROJECT, "token": TOKEN, **options})


def test_a_token_is_one_connection_s_and_cannot_be_made_elsewhere(syncs: Syncs) -> None:
    connection = syncs.connect_folder()
    mint = HookMint(syncs.home)
    token = mint.make(connection)
    found = mint.read(token)
    assert found is not None
    assert (found[0], found[1].id, found[1].domain) == (connection.id, syncs.person.id, "local")
    assert HookMint(syncs.home).make(connection) == token, "the same after a start"
    other = HookMint(Home(syncs.folder / "other").prepare())
    assert other.read(token) is None
    assert mint.read(token[:-9] + ("b" if token[-9] == "a" else "a") + token[-8:]) is None
    assert mint.read(token.replace(connection.id, "con_other")) is None
    assert mint.read("gsh_") is None


def test_a_reading_has_the_source_tell_us_while_somebody_wants_it(syncs: Syncs, studio: Studio) -> None:
    connection = connect(syncs, studio, told_at="http://127.0.0.1:8001/")
    for _ in range(2):
        syncs.sync(connection.id)
    (webhook,) = studio.webhooks.values()
    assert webhook["url"] == f"http://127.0.0.1:8001/v1/hooks/sources/{connection.id}"
    assert webhook["headers"] == {"authorization": f"Bearer {HookMint(syncs.home).make(connection)}"}
    with syncs.database.transaction() as session:
        session.get_one(SourceConnection, connection.id).options = {**connection.options, "told_at": ""}
    syncs.sync(connection.id)
    assert studio.webhooks == {}


def test_one_that_will_not_tell_us_is_read_all_the_same_and_then_says_so(syncs: Syncs, studio: Studio) -> None:
    studio.takes_private_addresses = False
    connection = connect(syncs, studio, told_at="http://127.0.0.1:8001")
    with pytest.raises(OptionsNotUsable, match=r"will not tell http.*reserved network") as told:
        syncs.sync(connection.id)
    assert "SSRF_PROTECTION_ENABLED" in told.value.hint
    assert [content["question"] for content in syncs.contents(connection.id)] == ["one?"]


def test_what_is_told_is_read_soon_once_and_once_more_when_told_meanwhile(syncs: Syncs, studio: Studio) -> None:
    connection = connect(syncs, studio)
    later = clock.now() + timedelta(minutes=1)

    def tell() -> None:
        with syncs.database.transaction() as session:
            service.told(session, connection.id, by=syncs.person)

    def due() -> int:
        SyncKeeper(syncs.database).tick(later)
        with syncs.database.reading() as session:
            return len(queries.syncs(session, connection.id))

    assert due() == 0
    for _ in range(5):
        tell()
    assert due() == 1, "five times told, read once"
    tell()
    assert due() == 1, "it is being read"
    with syncs.database.reading() as session:
        job_id = queries.syncs(session, connection.id)[0][1].id
    syncs.work(job_id)
    assert due() == 2, "told meanwhile, so once more"


def test_one_that_is_removed_while_a_reading_arranges_that_is_told_no_more(syncs: Syncs, studio: Studio) -> None:
    connection = connect(syncs, studio, told_at="http://127.0.0.1:8001/")

    class RemovedMeanwhile(dict[int, dict[str, object]]):
        """Somebody removes the source just as its webhook is made."""

        def __setitem__(self, number: int, webhook: dict[str, object]) -> None:
            super().__setitem__(number, webhook)
            with syncs.database.transaction() as session:
                service.remove(session, syncs.home, connection.id, by=syncs.person)

    made = studio.webhooks = RemovedMeanwhile()
    with pytest.raises(ConnectionNotFound):
        syncs.sync(connection.id)
    assert made == {}
