"""Good answers become stars once, follow the source, and give way to what people said."""

from sqlalchemy import select
from tests.syncing import Syncs

from goldsmith.connect.syncing import queries, starring
from goldsmith.connect.syncing.tables import SourceConflict, SourceConnection
from goldsmith.connect.syncing.types import ConflictState
from goldsmith.run.tables import Answer
from goldsmith.stars import export as exporting
from goldsmith.stars import queries as star_queries
from goldsmith.stars import service as stars
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import ExportRequest, MarkKind, MarkRequest


def starred(syncs: Syncs) -> list[str]:
    """What would be learned, as text."""
    with syncs.database.reading() as session:
        found = session.execute(select(Answer.text, Mark.correction).join(Mark, Mark.answer_id == Answer.id)
                                .where(star_queries.is_starred()))  # fmt: skip
        return sorted({correction or text for text, correction in found})


def answer_of(syncs: Syncs, connection: SourceConnection, source_id: str) -> str:
    """The answer to the newest row of that id."""
    with syncs.database.reading() as session:
        version_id = queries.newest_version(session, connection.dataset_id) or ""
        row_id = queries.rows_of_version(session, version_id, [source_id])[source_id]
        return session.scalars(select(Answer.id).where(Answer.row_id == row_id)).one()


def say(syncs: Syncs, connection: SourceConnection, source_id: str, kind: MarkKind, text: str | None = None) -> None:
    with syncs.database.transaction() as session:
        answer_id = answer_of(syncs, connection, source_id)
        stars.mark(session, answer_id, MarkRequest(kind, text), by=syncs.person)


def test_good_answers_are_starred_once_however_often_it_is_read(syncs: Syncs) -> None:
    connection = syncs.connect_folder(answer_column="answer")
    syncs.sync(connection.id)
    assert starred(syncs) == ["1", "2", "3"]
    syncs.sync(connection.id)
    syncs.write([(1, "one?", "1"), (2, "two?", "2"), (3, "three?", "3"), (4, "four?", "4")])
    syncs.sync(connection.id)
    assert starred(syncs) == ["1", "2", "3", "4"]
    with syncs.database.transaction() as session:
        assert sum(star_queries.num_stars(session, domain="local").values()) == 4, "earlier copies have none any more"
        made = exporting.export(session, syncs.home, ExportRequest(), by=syncs.person)
        assert made.num_learn + made.num_exam == 4


def test_an_answer_that_changed_in_the_source_takes_the_place_of_the_old_one(syncs: Syncs) -> None:
    connection = syncs.connect_folder(answer_column="answer")
    syncs.sync(connection.id)
    syncs.write([(1, "one?", "better"), (2, "two?", "2")])
    result = syncs.sync(connection.id)
    assert starred(syncs) == ["2", "better"], "changed, and gone"
    assert result["num_conflicts"] == 0, "nobody had marked it"


def test_a_star_that_somebody_took_stays_taken(syncs: Syncs) -> None:
    connection = syncs.connect_folder(answer_column="answer")
    syncs.sync(connection.id)
    say(syncs, connection, "1", MarkKind.bad)
    say(syncs, connection, "2", MarkKind.correction, "two, corrected")
    syncs.write([(1, "one?", "1"), (2, "two?", "2"), (3, "three?", "3"), (4, "four?", "4")])
    assert syncs.sync(connection.id)["num_conflicts"] == 0, "their rows are the same"
    assert starred(syncs) == ["3", "4", "two, corrected"]


def conflict(syncs: Syncs, connection: SourceConnection) -> SourceConflict:
    with syncs.database.reading() as session:
        (found,) = queries.conflicts(session, connection.id)
        return found


def test_what_changed_after_somebody_had_corrected_it_is_shown_and_overwrites_nothing(syncs: Syncs) -> None:
    connection = syncs.connect_folder(answer_column="answer")
    syncs.sync(connection.id)
    say(syncs, connection, "2", MarkKind.correction, "two, corrected")
    for text in ("from the source", "from the source again"):
        syncs.write([(1, "one?", "1"), (2, "two?", text)])
        syncs.sync(connection.id)
        assert starred(syncs) == ["1", "two, corrected"]
        found = conflict(syncs, connection)
        assert (found.source_id, found.state) == ("2", "open")
    assert syncs.contents(connection.id)[1]["answer"] == "from the source again"


def test_to_keep_what_was_said_holds_from_then_on(syncs: Syncs) -> None:
    connection = syncs.connect_folder(answer_column="answer")
    syncs.sync(connection.id)
    say(syncs, connection, "2", MarkKind.correction, "two, corrected")
    syncs.write([(2, "two?", "from the source")])
    syncs.sync(connection.id)
    with syncs.database.transaction() as session:
        starring.decide(session, connection, conflict(syncs, connection).id, ConflictState.KEPT, by=syncs.person)
    syncs.write([(2, "two?", "from the source"), (5, "five?", "5")])
    assert syncs.sync(connection.id)["num_conflicts"] == 0
    assert starred(syncs) == ["5", "two, corrected"]


def test_to_take_the_new_row_takes_the_old_mark_back(syncs: Syncs) -> None:
    connection = syncs.connect_folder(answer_column="answer")
    syncs.sync(connection.id)
    say(syncs, connection, "2", MarkKind.correction, "two, corrected")
    syncs.write([(2, "two?", "from the source")])
    syncs.sync(connection.id)
    for _ in range(2):
        with syncs.database.transaction() as session:
            found = session.scalars(select(SourceConflict)).one()
            decided = starring.decide(session, connection, found.id, ConflictState.TAKEN, by=syncs.person)
            assert (decided.state, decided.decided_by) == ("taken", syncs.person.id)
    assert starred(syncs) == ["from the source"]
    syncs.write([(2, "two?", "from the source"), (5, "five?", "5")])
    syncs.sync(connection.id)
    assert starred(syncs) == ["5", "from the source"]
