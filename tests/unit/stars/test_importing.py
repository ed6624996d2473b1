import json
from collections.abc import Callable

import pytest

from goldsmith.data.tables import DatasetVersion
from goldsmith.people.types import Person
from goldsmith.run import queries as run_queries
from goldsmith.run.errors import PromptVariableUnknown
from goldsmith.stars import importing, queries
from goldsmith.stars.errors import NoAnswerColumn
from goldsmith.stars.export import export
from goldsmith.stars.types import ExportRequest
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

MakeVersion = Callable[..., DatasetVersion]


def test_good_answers_of_a_file_are_starred_at_once(
    database: Database, home: Home, ana: Person, make_version: MakeVersion
) -> None:
    rows = [{"question": f"q{n}", "answer": f"a{n}" if n != 3 else " "} for n in range(1200)]
    version = make_version(rows, "answer")
    with database.transaction() as session:
        run = importing.import_answers(session, version.id, by=ana)
        made = export(session, home, ExportRequest(), by=ana)
    with database.reading() as session:
        counts = queries.counts(session, run.id)
        first = queries.answers_page(session, run.id).items[0]
        run = run_queries.one(session, run.id)
    assert (counts.all, counts.starred, run.num_rows, run.kind) == (1199, 1199, 1199, "imported")
    assert first.mark is not None
    assert (first.mark.via, first.mark.created_by) == ("import", ana.id)
    assert made.num_learn + made.num_exam == 1199


def test_imported_again_nothing_comes_twice(database: Database, ana: Person, make_version: MakeVersion) -> None:
    version = make_version([{"question": "q", "answer": "a"}], "answer")
    with database.transaction() as session:
        first = importing.import_answers(session, version.id, by=ana)
        again = importing.import_answers(session, version.id, by=ana)
        assert (again.id, queries.counts(session, first.id).all) == (first.id, 1)


def test_a_conversation_is_asked_as_it_is(
    database: Database, home: Home, ana: Person, make_version: MakeVersion
) -> None:
    turns = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "1"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "3"},
        {"role": "assistant", "content": "4"},
    ]
    rows = [{"messages": json.dumps(turns), "system": "S", "question": "", "answer": "4"}]
    version = make_version(rows, "answer")
    with database.transaction() as session:
        importing.import_answers(session, version.id, by=ana)
        made = export(session, home, ExportRequest(), by=ana)
        assert queries.training_set_rows(session, made.id, "learn")[0].messages == turns


def test_the_column_that_asks_is_found_or_asked_for(database: Database, ana: Person, make_version: MakeVersion) -> None:
    version = make_version([{"customer": "c", "answer": "a"}], "answer")
    unclear = make_version([{"x": "c", "y": "d", "answer": "a"}], "answer")
    without = make_version([{"question": "c"}])
    with database.transaction() as session:
        run = importing.import_answers(session, version.id, by=ana)
        assert run_queries.prompt_version(session, run.prompt_version_id).template == "{{customer}}"
        with pytest.raises(NoAnswerColumn, match="x, y"):
            importing.import_answers(session, unclear.id, by=ana)
        with pytest.raises(NoAnswerColumn):
            importing.import_answers(session, without.id, by=ana)
        with pytest.raises(PromptVariableUnknown):
            importing.import_answers(session, unclear.id, run.prompt_version_id, by=ana)
