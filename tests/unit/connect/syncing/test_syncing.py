"""What a batch does to what is kept: each of its rows once, counted, with the cursor behind it."""

from typing import Any

from tests.syncing import Syncs

from goldsmith.connect.sources.types import Batch, FoundRow, NotTaken
from goldsmith.connect.syncing import merging, queries
from goldsmith.connect.syncing.tables import SourceConnection, SourceSync


def rows(*ids: str, text: str = "x") -> list[FoundRow]:
    return [FoundRow(each, {"id": each, "text": text}) for each in ids]


class Keeping:
    """A sync that is fed by hand."""

    def __init__(self, syncs: Syncs) -> None:
        self.database = syncs.database
        self.connection_id = syncs.connect_folder([]).id
        self.job_id = syncs.queue(self.connection_id)

    def merge(self, *batches: Batch) -> dict[str, Any]:
        for batch in batches:
            with self.database.transaction() as session:
                connection = session.get_one(SourceConnection, self.connection_id)
                merging.merge(session, connection, queries.sync_of(session, self.job_id), batch)
        with self.database.reading() as session:
            sync: SourceSync = queries.sync_of(session, self.job_id)
            connection = session.get_one(SourceConnection, self.connection_id)
            here = queries.items_after(session, self.connection_id, 0, limit=99)
            return {
                "counts": (sync.num_new, sync.num_changed, sync.num_gone, sync.num_not_taken),
                "ids": [item.source_id for item in here],
                "cursor": connection.cursor,
                "news": connection.has_news,
                "groups": queries.groups(session, self.connection_id),
            }


def test_the_same_batch_twice_changes_nothing(syncs: Syncs) -> None:
    keeping = Keeping(syncs)
    batch = Batch(rows("1", "2"), {"id": 2})
    first = keeping.merge(batch)
    assert first == keeping.merge(batch)
    assert first["counts"] == (2, 0, 0, 0)
    assert first["cursor"] == {"id": 2}


def test_of_a_group_that_was_read_whole_what_did_not_come_is_gone_and_may_come_back(syncs: Syncs) -> None:
    keeping = Keeping(syncs)
    keeping.merge(Batch(rows("1", "2", "3"), group="a", is_begun=True, is_ended=True, group_state="first"))
    half = keeping.merge(Batch(rows("1"), {"at": 1}, group="a", is_begun=True))
    assert half["ids"] == ["1", "2", "3"], "not before its end"
    whole = keeping.merge(Batch(rows("3"), group="a", is_ended=True, group_state="second"))
    assert (whole["ids"], whole["counts"], whole["groups"]) == (["1", "3"], (3, 0, 1, 0), {"a": "second"})
    back = keeping.merge(Batch(rows("1", "2", "3"), group="a", is_begun=True, is_ended=True, group_state="third"))
    assert (back["ids"], back["counts"]) == (["1", "2", "3"], (3, 1, 1, 0))


def test_a_group_that_is_gone_takes_its_rows_and_no_others(syncs: Syncs) -> None:
    keeping = Keeping(syncs)
    for group, ids in (("a", "12"), ("b", "34")):
        keeping.merge(Batch(rows(*ids), group=group, is_begun=True, is_ended=True, group_state="x"))
    left = keeping.merge(Batch(group="a", is_begun=True, is_ended=True))
    assert (left["ids"], left["groups"]) == (["3", "4"], {"b": "x"})


def test_columns_in_another_order_are_no_change_and_another_text_is(syncs: Syncs) -> None:
    keeping = Keeping(syncs)
    keeping.merge(Batch([FoundRow("1", {"a": "1", "b": "2"})]))
    same = keeping.merge(Batch([FoundRow("1", {"b": "2", "a": "1"}, "elsewhere")]))
    assert same["counts"] == (1, 0, 0, 0)
    assert keeping.merge(Batch([FoundRow("1", {"a": "1", "b": "3"})]))["counts"] == (1, 1, 0, 0)


def test_what_was_left_out_is_counted_and_the_first_ones_listed(syncs: Syncs) -> None:
    keeping = Keeping(syncs)
    out = [NotTaken(f"row {number}", "bad") for number in range(150)]
    kept = keeping.merge(Batch(not_taken=out), Batch(not_taken=out))
    assert (kept["counts"], kept["news"]) == ((0, 0, 0, 300), False)
    with syncs.database.reading() as session:
        assert len(queries.sync_of(session, keeping.job_id).not_taken) == merging.MAX_LISTED
