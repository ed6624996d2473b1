import pytest

from goldsmith.data.tables import DatasetVersion
from goldsmith.people.types import Person
from goldsmith.run import prompts, queries
from goldsmith.run.errors import AnswerSchemaNotUsable, PromptNotUsable
from goldsmith.run.types import PromptDraft
from goldsmith.storage.database import Database


def test_the_same_wording_is_the_same_version(database: Database, ana: Person) -> None:
    draft = PromptDraft("{{a}}", "Be brief.", {"type": "object"})
    with database.transaction() as session:
        first = prompts.save_prompt(session, "p", draft, by=ana)
        second = prompts.save_prompt(session, "p", PromptDraft("{{a}}!"), by=ana)
        again = prompts.save_prompt(session, " p ", draft, by=ana)
    assert (first.number, second.number) == (1, 2)
    assert again.id == first.id
    with database.reading() as session:
        assert [version.number for version in queries.versions(session, first.prompt_id)] == [2, 1]
        assert queries.newest_version(session, first.prompt_id).number == 2
        assert queries.prompt(session, "p", domain=ana.domain).id == first.prompt_id


@pytest.mark.parametrize(
    "draft",
    [PromptDraft("no variable"), PromptDraft("{{a"), PromptDraft("{{a}}" + "x" * 70_000), PromptDraft("{{a}}\x00")],
)
def test_a_prompt_that_cannot_work_is_refused(database: Database, ana: Person, draft: PromptDraft) -> None:
    with database.transaction() as session, pytest.raises(PromptNotUsable):
        prompts.save_prompt(session, "p", draft, by=ana)


def test_a_schema_that_is_none_is_refused(database: Database, ana: Person) -> None:
    with database.transaction() as session, pytest.raises(AnswerSchemaNotUsable):
        prompts.save_prompt(session, "p", PromptDraft("{{a}}", answer_schema={"type": "thing"}), by=ana)


def test_a_preview_shows_what_real_rows_ask_and_what_is_wrong(database: Database, version: DatasetVersion) -> None:
    with database.reading() as session:
        shown = prompts.preview(session, PromptDraft("{{message}}?"), version.id, limit=2)
        assert [item.messages[0]["content"] for item in shown] == ["message 1?", "message 2?"]
        assert prompts.preview(session, PromptDraft("{{mesage}}"), version.id)[0].problem is not None
