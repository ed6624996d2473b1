"""Names that people give to models stay apart from ids, hub ids and words that mean something."""

import pytest
from tests.factories import make_base_model, make_person

from goldsmith.models import queries, service
from goldsmith.models.errors import ModelNameAmbiguous, ModelNameNotUsable, ModelNotFound
from goldsmith.models.types import SMOLLM2, FromHub
from goldsmith.storage.database import Database


@pytest.mark.parametrize(
    ("text", "hub_id"),
    [
        ("Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-0.5B-Instruct"),
        (" org/m_1 ", "org/m_1"),
        ("https://hub.example.org/org/m", "org/m"),
        ("https://hub.example.org/org/m/tree/main?x=1", "org/m"),
    ],
)
def test_a_hub_id_is_taken_also_from_the_address_of_its_page(text: str, hub_id: str) -> None:
    assert service.hub_id_of(text) == hub_id


@pytest.mark.parametrize(
    "text", ["", "gpt2", "a/b/c", "../etc", "org/..", "org/m?x", "org/m\x00", "-o/m", "org/", "ftp://h/org/m", "o/m m"]
)
def test_what_is_no_hub_id_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(ModelNameNotUsable) as caught:
        service.hub_id_of(text)
    assert "ORG/NAME" in caught.value.hint


@pytest.mark.parametrize("name", ["", "  ", "org/m", "bm_1", "FTM_x", "default", "load", "a\nb", "x" * 256])
def test_a_name_that_would_be_taken_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(ModelNameNotUsable):
        service.usable_name(name)


def test_a_usable_name_is_kept_without_the_space_around_it() -> None:
    assert service.usable_name("  Für den Support 2 ") == "Für den Support 2"


@pytest.mark.parametrize("revision", ["", "a b", "../x", "-x", "a..b"])
def test_a_revision_that_is_none_is_refused(database: Database, revision: str) -> None:
    with database.transaction() as session, pytest.raises(ModelNameNotUsable, match="no revision"):
        service.start_hub(session, FromHub("org/m", revision=revision), by=make_person(session))


def test_an_unknown_builtin_leads_to_the_hub(database: Database) -> None:
    with database.transaction() as session, pytest.raises(ModelNotFound) as caught:
        service.start_builtin(session, "gpt-99", by=make_person(session))
    assert SMOLLM2.name in caught.value.message
    assert "ORG/NAME" in caught.value.hint


def test_two_commits_of_a_hubs_model_are_told_apart_by_their_names(database: Database) -> None:
    with database.transaction() as session:
        for name in ("one", "two"):
            make_base_model(session, name=name, source="hub", hub_id="org/m")
        assert queries.base(session, "one", domain="local").name == "one"
        with pytest.raises(ModelNameAmbiguous):
            queries.base(session, "org/m", domain="local")
        make_base_model(session, name="org/m", source="hub", hub_id="org/m")
        assert queries.base(session, "org/m", domain="local").name == "org/m"
