"""What a grant sees and does, over stars of a source and over those of the house; the API's tests walk the loop."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.factories import (
    make_answer,
    make_base_model,
    make_dataset_version,
    make_person,
    make_prompt_version,
    make_run,
)
from tests.unit.connect.stars import SCOPE, FakeSource, item

from goldsmith.connect.embedding import queries, service
from goldsmith.connect.embedding.errors import NotGranted, StarsNotSeparable
from goldsmith.connect.embedding.types import Grant, Permission
from goldsmith.connect.errors import NotYourScope, SourceNotConnected
from goldsmith.connect.tables import SourceSet
from goldsmith.connect.types import Scope
from goldsmith.data import queries as data
from goldsmith.people.types import Holder, Person
from goldsmith.stars import service as stars
from goldsmith.stars.errors import NoStars, TrainingSetNotFound
from goldsmith.stars.tables import TrainingSet
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.storage import clock
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

EVERYTHING = tuple(Permission)


@pytest.fixture
def source() -> FakeSource:
    return FakeSource([item(number) for number in range(12)])


def grant_for(
    database: Database, person: Person, scope: Scope = SCOPE, *, may: tuple[Permission, ...] = EVERYTHING
) -> Grant:
    with database.transaction() as session:
        return service.grant(session, Holder("key_1", person), scope, may, minutes=10)


def export(database: Database, home: Home, grant: Grant, source: FakeSource | None) -> TrainingSet:
    with database.transaction() as session:
        return service.export(session, home, grant, source, name=None, system_text="You judge.")


def star_something_here(database: Database, person: Person) -> None:
    with database.transaction() as session:
        version = make_dataset_version(session, [{"question": f"{n}?"} for n in range(6)], by=person)
        prompt = make_prompt_version(session, "{{question}}", by=person)
        run = make_run(session, version, prompt, by=person, model=make_base_model(session, by=person))
        for row in data.rows(session, version.id):
            answer = make_answer(session, run, row, f"answer {row.position}")
            stars.mark(session, answer.id, MarkRequest(MarkKind.star), by=person)


def test_a_grant_is_for_some_minutes_and_for_a_person_of_the_key_s_organisation(
    database: Database, person: Person
) -> None:
    made = grant_for(database, person, may=(Permission.train,))
    assert (made.person.name, made.person.domain) == (SCOPE.philosopher, person.domain)
    assert timedelta(minutes=9) < made.expires_at - clock.now() <= timedelta(minutes=10)
    assert made.may == {Permission.train}


def test_nobody_is_granted_another_organisation_s_things(database: Database) -> None:
    with database.transaction() as session:
        eve = make_person(session, "Eve", domain="evil.example")
    with pytest.raises(NotYourScope):
        grant_for(database, eve)


def test_a_set_is_the_philosopher_s_alone(database: Database, home: Home, person: Person, source: FakeSource) -> None:
    ada = grant_for(database, person)
    made = export(database, home, ada, source)
    assert made.name == "Gold stars of ada@acme.example"
    others = (Scope("bob@acme.example", SCOPE.domain), Scope(SCOPE.philosopher, "evil.example"), Scope("Ada", "local"))
    with database.reading() as session:
        assert [each.id for each in queries.training_sets(session, ada)] == [made.id]
        assert queries.training_set(session, ada, made.id).id == made.id
        for scope in others:
            assert queries.training_sets(session, replace(ada, scope=scope)) == []
            with pytest.raises(TrainingSetNotFound):
                queries.training_set(session, replace(ada, scope=scope), made.id)


def test_it_is_noted_once_whose_stars_a_set_holds(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    made = [export(database, home, grant_for(database, person), source).id for _ in range(2)]
    with database.reading() as session:
        assert [each.training_set_id for each in session.scalars(select(SourceSet))] == made[:1]


def test_without_permission_nothing_is_exported(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    with pytest.raises(NotGranted, match="to export"):
        export(database, home, grant_for(database, person, may=()), source)


def test_an_application_without_a_source_of_its_own_shows_the_stars_of_the_house(
    database: Database, home: Home, person: Person
) -> None:
    of_the_house = grant_for(database, person, Scope("Ada", "local"))
    with database.reading() as session:
        assert "No gold stars yet" in service.find_stars(session, of_the_house, None).reason
    with pytest.raises(NoStars):
        export(database, home, of_the_house, None)
    star_something_here(database, person)
    with database.reading() as session:
        found = service.find_stars(session, of_the_house, None)
    assert (found.source, found.count, found.reason) == ("Goldsmith", 6, "")
    made = export(database, home, of_the_house, None)
    with database.reading() as session:
        assert [each.id for each in queries.training_sets(session, of_the_house)] == [made.id]
        assert queries.training_sets(session, replace(of_the_house, scope=SCOPE)) == []


def test_stars_of_the_house_are_not_exported_where_others_lie_among_them(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    star_something_here(database, person)
    export(database, home, grant_for(database, person), source)
    with pytest.raises(StarsNotSeparable):
        export(database, home, grant_for(database, person, Scope("Ada", "local")), source)


def test_stars_are_counted_where_they_live(database: Database, person: Person, source: FakeSource) -> None:
    ada = grant_for(database, person)
    with database.reading() as session:
        found = service.find_stars(session, ada, source)
        assert (found.source, found.count, found.asks_system_text) == ("Aristotle", 12, True)
        assert service.find_stars(session, ada, FakeSource([])).reason == "None is starred."
        with pytest.raises(SourceNotConnected):
            service.find_stars(session, ada, None)


def test_a_system_message_that_was_said_is_not_asked_for_again(
    database: Database, home: Home, person: Person, source: FakeSource
) -> None:
    ada = grant_for(database, person)
    export(database, home, ada, source)
    with database.reading() as session:
        assert not service.find_stars(session, ada, source).asks_system_text
