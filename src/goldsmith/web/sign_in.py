"""Who is asking: the signed cookie of a browser, a key that stands for a person, or a token that a key was good for.

Keys are compared as hashes with a table in memory, which is read again when it is a second old, while callers go on by
what it says. When it cannot be read for longer than 30 s the answer is "cannot be checked", never yes.
"""

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from typing import ClassVar, Literal

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from goldsmith.connect.embedding.types import Grant
from goldsmith.connect.syncing.telling import HOOK_START, HookMint
from goldsmith.people import service
from goldsmith.people.errors import NotSignedIn
from goldsmith.people.types import Holder, Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.web.embed_tokens import TOKEN_START, TokenMint
from goldsmith.web.errors import KeyNotChecked, TokenNotGood

FRESH_S = 1.0
WORTH_WAITING_S = 1.5
"""A table older than this is read before anybody is let in by it; a younger one is read meanwhile."""
NEW_KEY_S = 0.05
"""A key that is not known waits until the table is so old, and is looked for again: it may be that young."""
TOO_OLD_S = 30.0
READ_TIMEOUT_S = 5.0
COOKIE_LASTS_S = 400 * 24 * 3600
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asker:
    """The person for whom a request was made, and how we know."""

    person: Person
    via: Literal["cookie", "key", "token"]
    holder: Holder | None = None
    """The key, when it was one, or the one with which the token was asked for."""
    grant: Grant | None = None
    """What the token says, when it was one."""
    hook: str | None = None
    """The connection that tells us something, when it was its token."""


class CookieJar:
    """Signs what browsers keep for us, with a key that lies in the home folder."""

    PERSON: ClassVar[str] = "goldsmith_person"
    TOAST: ClassVar[str] = "goldsmith_toast"

    def __init__(self, home: Home) -> None:
        self._serializer = URLSafeTimedSerializer(home.own_secret("cookie"), salt="goldsmith")

    def sign(self, text: str) -> str:
        """The text with a signature and the time."""
        return str(self._serializer.dumps(text))

    def read(self, signed: str, *, max_age_s: int) -> str | None:
        """The text, when the signature is ours and not too old."""
        try:
            return str(self._serializer.loads(signed, max_age=max_age_s)) if signed else None
        except BadData:
            return None

    def for_person(self, person: Person) -> str:
        """What a browser keeps to be known as this person."""
        return self.sign(json.dumps([person.id, person.name, person.domain]))

    def person(self, signed: str) -> Person | None:
        """Whose browser this is."""
        text = self.read(signed, max_age_s=COOKIE_LASTS_S)
        return Person(*json.loads(text)) if text else None


class KeyTable:
    """The hashes of all keys in force, in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holders: dict[str, Holder] = {}
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None

    async def holder_of(self, secret: str) -> Holder | None:
        """Whom a key stands for, None when nobody. Raises KeyNotChecked.

        Nobody waits for the database but for the first time, after a pause, and for a key that is not known: it may be
        younger than the table. What is no key of ours by its first letters is nobody's at once.
        """
        if not secret.startswith(service.KEY_START):
            return None
        await self._keep_fresh()
        holder = self._in_force().get(service.hash_of(secret))
        if holder is None:
            await asyncio.sleep(max(0.0, NEW_KEY_S - self._age_s()))
            await self._refresh_once(NEW_KEY_S)
            holder = self._in_force().get(service.hash_of(secret))
        return holder

    async def holder_of_id(self, key_id: str) -> Holder | None:
        """Whom the key with this id stands for, None when it is not in force. Raises KeyNotChecked."""
        await self._keep_fresh()
        return next((holder for holder in self._in_force().values() if holder.key_id == key_id), None)

    async def _keep_fresh(self) -> None:
        if self._age_s() > FRESH_S:
            if self._age_s() > WORTH_WAITING_S:
                await self._refresh_once(FRESH_S)
            elif self._reading is None or self._reading.done():
                self._reading = asyncio.get_running_loop().create_task(self._refresh_once(FRESH_S))

    def _in_force(self) -> dict[str, Holder]:
        """By hash."""
        if self._age_s() > TOO_OLD_S:
            raise KeyNotChecked("The keys could not be read from the database, so this key cannot be checked.")
        return self._holders

    def _age_s(self) -> float:
        return time.monotonic() - self._read_at

    async def _refresh_once(self, unless_younger_s: float) -> None:
        async with self._lock:
            if self._age_s() > unless_younger_s:
                await self._refresh()

    async def _refresh(self) -> None:
        try:
            began = time.monotonic()
            self._holders = await asyncio.wait_for(run_in_threadpool(self._read), READ_TIMEOUT_S)
            self._read_at = began
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("the keys could not be read: %s", error)

    def _read(self) -> dict[str, Holder]:
        with self._database.reading() as session:
            return service.holders(session)


@dataclass(frozen=True)
class Askers:
    """Every way to say who is asking."""

    cookies: CookieJar
    keys: KeyTable
    tokens: TokenMint
    hooks: HookMint

    def by_cookie(self, signed: str) -> Asker | None:
        """Whose browser it is; None when nobody has said a name in it."""
        person = self.cookies.person(signed)
        return Asker(person, "cookie") if person else None

    async def by_secret(self, secret: str) -> Asker:
        """Whom a key or a token stands for. Raises NotSignedIn, TokenNotGood, KeyNotChecked."""
        if secret.startswith(TOKEN_START):
            return await self._by_token(secret)
        if secret.startswith(HOOK_START):
            return self._by_hook(secret)
        holder = await self.keys.holder_of(secret)
        if holder is None:
            raise NotSignedIn("The key that came with the request is not known, or was revoked.")
        return Asker(holder.person, "key", holder)

    async def _by_token(self, secret: str) -> Asker:
        grant = self.tokens.read(secret)
        if grant is None:
            raise TokenNotGood("The token that came with the request has run out, or is not one of ours.")
        holder = await self.keys.holder_of_id(grant.key_id)
        if holder is None:
            raise TokenNotGood("The key with which this token was asked for was revoked.")
        return Asker(grant.person, "token", holder, grant)

    def _by_hook(self, secret: str) -> Asker:
        found = self.hooks.read(secret)
        if found is None:
            raise TokenNotGood("The token that came with the request is not one of ours.")
        connection_id, person = found
        return Asker(person, "token", hook=connection_id)
