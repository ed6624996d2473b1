"""People are known by name, and keys stand for them until they are revoked."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from goldsmith.people import service
from goldsmith.people.errors import KeyNotFound, LimitNotUsable, NameNotUsable
from goldsmith.people.tables import Key
from goldsmith.people.types import Holder, Limits, Person
from goldsmith.storage.database import Database


def test_the_same_name_is_the_same_person_in_one_organisation(database: Database) -> None:
    with database.transaction() as session:
        ada = service.known_by_name(session, "Ada")
        assert service.known_by_name(session, "  Ada ") == ada
        assert service.known_by_name(session, "Ada", domain="elsewhere").id != ada.id
        assert service.one(session, ada.id) == ada
        assert service.one(session, "per_none") is None


def test_a_name_is_the_same_however_its_accents_are_written(database: Database) -> None:
    with database.transaction() as session:
        assert service.known_by_name(session, "Zo\u00eb") == service.known_by_name(session, "Zoe\u0308")


def test_a_name_that_is_said_everywhere_at_once_makes_one_person(database: Database) -> None:
    def say(_number: int) -> Person:
        with database.transaction() as session:
            return service.known_by_name(session, "Ada")

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(say, range(8)))) == 1


@pytest.mark.parametrize("name", ["", "   ", "a" * 101, "a\nb", "a\0b", "\u202egnp.exe", "half \ud800"])
def test_names_that_cannot_be_used_are_refused(database: Database, name: str) -> None:
    with pytest.raises(NameNotUsable), database.transaction() as session:
        service.known_by_name(session, name)


def test_a_key_stands_for_its_person_until_it_is_revoked(database: Database, person: Person) -> None:
    with database.transaction() as session:
        key_id, secret = service.add_key(session, "for a program", by=person)
        assert service.holder_of(session, secret) == person
        assert service.holders(session) == {service.hash_of(secret): Holder(key_id, person)}
        assert [(key.id, who) for key, who in service.keys(session)] == [(key_id, person)]
        service.revoke_key(session, key_id)
        session.flush()
        first = session.get_one(Key, key_id).revoked_at
        service.revoke_key(session, key_id)
        assert session.get_one(Key, key_id).revoked_at == first
        assert service.holder_of(session, secret) is None
        assert service.holders(session) == {}


def test_a_key_s_limits_are_set_changed_and_lifted(database: Database, person: Person) -> None:
    with database.transaction() as session:
        key_id, secret = service.add_key(session, "a", by=person, limits=Limits(requests_per_minute=5))
        [holder] = service.holders(session).values()
        assert holder == Holder(key_id, person, Limits(5))
        assert holder.limits.has_any
        service.limit_key(session, key_id, Limits(tokens_per_minute=9, parallel_requests=2))
        session.flush()
        assert service.holders(session)[service.hash_of(secret)].limits == Limits(None, 9, 2)
        service.limit_key(session, key_id, Limits())
        session.flush()
        assert not service.holders(session)[service.hash_of(secret)].limits.has_any


@pytest.mark.parametrize("value", [0, -1, 10**10])
def test_a_limit_that_makes_no_sense_is_refused(database: Database, person: Person, value: int) -> None:
    with database.transaction() as session:
        key_id, _ = service.add_key(session, "a", by=person)
        with pytest.raises(LimitNotUsable):
            service.limit_key(session, key_id, Limits(parallel_requests=value))
        with pytest.raises(KeyNotFound):
            service.limit_key(session, "key_none", Limits())


def test_only_a_hash_of_a_key_is_kept(database: Database, person: Person) -> None:
    with database.transaction() as session:
        _, secret = service.add_key(session, "x" * 200, by=person)
        key = session.scalars(select(Key)).one()
    assert secret not in str(vars(key))
    assert len(secret) >= 40
    assert len(key.label) == 100


@pytest.mark.parametrize("secret", ["", "gsk_wrong", "gsk_\0", "gsk_\ud800"])
def test_an_unknown_key_stands_for_nobody(database: Database, secret: str) -> None:
    with database.reading() as session:
        assert service.holder_of(session, secret) is None


def test_an_unknown_key_cannot_be_revoked(database: Database) -> None:
    with pytest.raises(KeyNotFound), database.transaction() as session:
        service.revoke_key(session, "key_none")
