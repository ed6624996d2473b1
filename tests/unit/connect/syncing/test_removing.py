"""A source that is removed tells us nothing more; one that does not answer is removed too, and that is said."""

from collections.abc import Iterator

import pytest
from tests.label_studio_stand_in import PROJECT, TOKEN, Studio, serving
from tests.syncing import Syncs

from goldsmith.connect.syncing import queries, removing, service, telling
from goldsmith.connect.syncing.errors import ConnectionNotFound
from goldsmith.connect.syncing.removing import Removed
from goldsmith.storage import sealing


@pytest.fixture
def studio() -> Iterator[Studio]:
    with serving() as made:
        made.put(1, question="one?")
        yield made


def connect(syncs: Syncs, studio: Studio, told_at: str = "http://127.0.0.1:8001") -> str:
    """Read once, so that its webhook is there."""
    options = {"address": studio.url, "project": PROJECT, "token": TOKEN, "told_at": told_at}
    connection = syncs.connect("label_studio", options)
    syncs.sync(connection.id)
    return connection.id


def remove(syncs: Syncs, connection_id: str) -> Removed:
    return removing.remove(syncs.database, syncs.home, connection_id, syncs.surroundings, by=syncs.person)


def test_its_webhook_is_taken_away_there_and_no_other(syncs: Syncs, studio: Studio) -> None:
    at = connect(syncs, studio)
    studio.webhooks[99] = {"id": 99, "url": "https://elsewhere.example/hook", "headers": {}}
    removed = remove(syncs, at)
    assert list(studio.webhooks) == [99]
    assert removed.sentence == "tickets is read no more. What came in stays."
    with syncs.database.reading() as session, pytest.raises(ConnectionNotFound):
        queries.one(session, at, domain="local")
    assert not service.has_secrets(syncs.home, removed.connection)


@pytest.mark.parametrize("trouble", ["refused", "silent", "no token"])
def test_where_it_does_not_answer_it_is_removed_and_what_stays_there_is_said(
    syncs: Syncs, studio: Studio, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = connect(syncs, studio)
    monkeypatch.setattr(removing, "WITHIN_S", 0.2)
    if trouble == "no token":
        sealing.forget(syncs.home, at)
    else:
        studio.troubles = [403] if trouble == "refused" else [503] * 3  # which it is asked again for, after a second
    removed = remove(syncs, at)
    said = {"refused": "does not allow this", "silent": "does not answer within 0.2 seconds", "no token": "needs token"}
    assert said[trouble] in removed.left_there
    assert f"http://127.0.0.1:8001/v1/hooks/sources/{at} stays: delete it there" in removed.left_there
    with syncs.database.reading() as session, pytest.raises(ConnectionNotFound):
        queries.one(session, at, domain="local")


def test_a_source_that_tells_nobody_leaves_nothing_there(syncs: Syncs, studio: Studio) -> None:
    at = connect(syncs, studio, told_at="")
    studio.troubles = [403]
    assert remove(syncs, at).left_there == ""
    assert remove(syncs, syncs.connect_folder(name="files").id).left_there == ""


@pytest.mark.parametrize("where", ["it is opened", "it is told"])
def test_a_source_that_breaks_when_it_is_asked_is_removed_all_the_same(
    syncs: Syncs, studio: Studio, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise PermissionError(13, "not yours")

    at = connect(syncs, studio)
    if where == "it is opened":
        monkeypatch.setattr(service, "opened", broken)
    else:
        monkeypatch.setattr(telling, "leave", broken)
    removed = remove(syncs, at)
    assert "it cannot be asked: PermissionError." in removed.left_there
    with syncs.database.reading() as session, pytest.raises(ConnectionNotFound):
        queries.one(session, at, domain="local")
