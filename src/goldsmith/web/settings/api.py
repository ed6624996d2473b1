"""The API over keys: make one, list them, limit one, revoke one. A key with limits may do none of it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from goldsmith.people import service as people
from goldsmith.people.errors import KeyHasLimits
from goldsmith.people.service import MAX_LIMIT
from goldsmith.people.tables import Key
from goldsmith.people.types import Limits, Person
from goldsmith.web.answers import ApiAnswer, ApiBody, Id, Name
from goldsmith.web.dependencies import CurrentPerson, ReadSession, Session
from goldsmith.web.settings.found import key_of

Limit = Annotated[int | None, Field(ge=1, le=MAX_LIMIT)]


def _is_free(request: Request, person: CurrentPerson) -> Person:
    holder = getattr(request.state, "holder", None)
    if holder is not None and holder.limits.has_any:
        raise KeyHasLimits("This key has limits, and could free itself of them here.")
    return person


Free = Annotated[Person, Depends(_is_free)]
"""Who asks without being limited."""
api = APIRouter(prefix="/v1/keys", tags=["keys"])


class LimitsBody(ApiBody):
    """How much a key may ask of the models; null: as much as it likes."""

    requests_per_minute: Limit = None
    tokens_per_minute: Limit = None
    """Of questions and answers together."""
    parallel_requests: Limit = None

    def limits(self) -> Limits:
        """As services take them."""
        return Limits(self.requests_per_minute, self.tokens_per_minute, self.parallel_requests)


class KeyBody(LimitsBody):
    """A key to be made."""

    label: Annotated[Name, Field(max_length=100)]
    """What it is for."""


class KeyAnswer(ApiAnswer):
    """A key, without its secret."""

    id: str
    label: str
    person: str
    """For whom it stands."""
    created_at: datetime
    revoked_at: datetime | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    parallel_requests: int | None

    @classmethod
    def of(cls, key: Key, person: Person) -> "KeyAnswer":
        """From a row and the person for whom it stands."""
        own = {name: getattr(key, name) for name in cls.model_fields if name != "person"}
        return cls(**own, person=person.name)


class KeysAnswer(ApiAnswer):
    """All keys, newest first."""

    keys: list[KeyAnswer]


class NewKeyAnswer(ApiAnswer):
    """A new key: `key` is shown this once."""

    id: str
    key: str


@api.get("")
def list_keys(session: ReadSession, person: CurrentPerson) -> KeysAnswer:
    """All keys, without their secrets."""
    mine = [(key, who) for key, who in people.keys(session) if who.domain == person.domain]
    return KeysAnswer(keys=[KeyAnswer.of(key, who) for key, who in mine])


@api.post("", status_code=201)
def add_key(session: Session, person: Free, body: KeyBody) -> NewKeyAnswer:
    """Make a key with which a program acts for the one who asks. It is shown this once and never again."""
    key_id, secret = people.add_key(session, body.label, by=person, limits=body.limits())
    return NewKeyAnswer(id=key_id, key=secret)


@api.post("/{key_id}/limits")
def limit_key(session: Session, person: Free, key_id: Id, body: LimitsBody) -> KeyAnswer:
    """Set how much a key may ask of the models; a limit that is not named is lifted. It holds within two seconds."""
    key = people.limit_key(session, key_of(session, key_id, person).id, body.limits())
    return _shown(session, person, key.id)


@api.post("/{key_id}/revoke")
def revoke_key(session: Session, person: Free, key_id: Id) -> KeyAnswer:
    """Switch a key off for good."""
    people.revoke_key(session, key_of(session, key_id, person).id)
    return _shown(session, person, key_id)


def _shown(session: Session, person: Person, key_id: str) -> KeyAnswer:
    session.flush()
    found = (each for each in people.keys(session) if each[0].id == key_of(session, key_id, person).id)
    return KeyAnswer.of(*next(found))
