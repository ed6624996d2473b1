"""The verbs of people: be known by a name, make a key, revoke it, find out who a key stands for."""

import hashlib
import secrets
import unicodedata
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from goldsmith.people.errors import KeyNotFound, LimitNotUsable, NameNotUsable
from goldsmith.people.tables import Key, PersonRow
from goldsmith.people.types import DEFAULT_DOMAIN, NO_LIMITS, Holder, Limits, Person
from goldsmith.storage import clock
from goldsmith.storage.ids import Prefix, new_id

KEY_START = "gsk_"
MAX_LIMIT = 1_000_000_000


def known_by_name(session: Session, name: str, *, domain: str = DEFAULT_DOMAIN) -> Person:
    """The person of that name, made when new. Raises NameNotUsable."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise NameNotUsable(f"{name[:100]!r} is not a usable name.")
    known = select(PersonRow).where(PersonRow.domain == domain, PersonRow.name == name)
    row = session.scalar(known)
    if row is not None:
        return _person(row)
    row = PersonRow(id=new_id(Prefix.PERSON), name=name, domain=domain)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # the same name was said elsewhere in this very moment
        row = session.scalars(known).one()
    return _person(row)


def one(session: Session, person_id: str) -> Person | None:
    """The person with that id, or None."""
    row = session.get(PersonRow, person_id)
    return _person(row) if row else None


def add_key(session: Session, label: str, *, by: Person, limits: Limits = NO_LIMITS) -> tuple[str, str]:
    """Make a key of 256 random bits. Returns its id and the secret, which is shown this once and never again.

    Raises LimitNotUsable.
    """
    secret = KEY_START + secrets.token_urlsafe(32)
    key = Key(id=new_id(Prefix.KEY), person_id=by.id, label=label[:100], sha256=hash_of(secret), **_checked(limits))
    session.add(key)
    session.flush()
    return key.id, secret


def limit_key(session: Session, key_id: str, limits: Limits) -> Key:
    """Set how much a key may ask; it holds within two seconds. Raises KeyNotFound, LimitNotUsable."""
    key = session.get(Key, key_id)
    if key is None:
        raise KeyNotFound(f"There is no key {key_id}.")
    for name, value in _checked(limits).items():
        setattr(key, name, value)
    return key


def limits_of(key: Key) -> Limits:
    """How much a key may ask."""
    return Limits(key.requests_per_minute, key.tokens_per_minute, key.parallel_requests)


def revoke_key(session: Session, key_id: str) -> None:
    """Switch a key off for good, at once. Raises KeyNotFound."""
    key = session.get(Key, key_id)
    if key is None:
        raise KeyNotFound(f"There is no key {key_id}.")
    key.revoked_at = key.revoked_at or clock.now()


def keys(session: Session) -> list[tuple[Key, Person]]:
    """All keys with the people they stand for, newest first."""
    rows = session.execute(
        select(Key, PersonRow).join(PersonRow, PersonRow.id == Key.person_id).order_by(Key.id.desc())
    )
    return [(key, _person(row)) for key, row in rows]


def holder_of(session: Session, secret: str) -> Person | None:
    """Whom a key stands for; None when it is unknown or revoked."""
    row = session.scalar(
        select(PersonRow)
        .join(Key, Key.person_id == PersonRow.id)
        .where(Key.sha256 == hash_of(secret), Key.revoked_at.is_(None))
    )
    return _person(row) if row else None


def holders(session: Session) -> dict[str, Holder]:
    """Hash → holder of every key in force, for whoever keeps them in memory."""
    in_force = [(key, person) for key, person in keys(session) if key.revoked_at is None]
    return {key.sha256: Holder(key.id, person, limits_of(key)) for key, person in in_force}


def hash_of(secret: str) -> str:
    """What is kept of a key. A plain SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(secret.encode(errors="backslashreplace")).hexdigest()


def _checked(limits: Limits) -> dict[str, int | None]:
    named: dict[str, int | None] = asdict(limits)
    for name, value in named.items():
        if value is not None and not 1 <= value <= MAX_LIMIT:
            raise LimitNotUsable(f"{name} cannot be {value:,}.")
    return named


def _person(row: PersonRow) -> Person:
    return Person(row.id, row.name, row.domain)
