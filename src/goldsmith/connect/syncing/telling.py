"""Has a source tell us what changes, and knows who is telling. What is told is only that we should look again.

A token is for one connection, and opens nothing else. What it says is signed with a secret of the home folder, so
nothing of it is kept; it is good as long as its connection is there.
"""

import logging
from typing import Final

from itsdangerous import BadData, Signer

from goldsmith.connect.sources.types import OpenSource, TwoWaySource
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.errors import GoldsmithError
from goldsmith.people.types import Person
from goldsmith.storage.files import Home

HOOK_START: Final = "gsh_"
PATH: Final = "/v1/hooks/sources/"
log = logging.getLogger(__name__)


class HookMint:
    """Makes tokens, and reads those that it made."""

    def __init__(self, home: Home) -> None:
        self._signer = Signer(home.own_secret("hooks"), salt="goldsmith.hooks", key_derivation="hmac")

    def make(self, connection: SourceConnection) -> str:
        """The token of a connection; always the same."""
        said = f"{connection.id}:{connection.created_by}:{connection.domain}"
        return HOOK_START + self._signer.sign(said).decode()

    def read(self, token: str) -> tuple[str, Person] | None:
        """For which connection it is, and for whom it is read; None for one that is not ours."""
        try:
            said = self._signer.unsign(token.removeprefix(HOOK_START)).decode()
        except (BadData, UnicodeError):
            return None
        connection_id, person_id, domain = said.split(":", 2)
        return connection_id, Person(person_id, "", domain)


def told_at(connection: SourceConnection) -> str | None:
    """The address that the source tells; None where nobody wants that."""
    address = connection.options.get("told_at")
    return f"{str(address).rstrip('/')}{PATH}{connection.id}" if address else None


def arrange(home: Home, connection: SourceConnection, source: OpenSource) -> GoldsmithError | None:
    """Have the source tell us, where somebody wants that; else tell us no more. Returns why it will not tell us."""
    address = told_at(connection)
    error = _arranged(home, connection, source, address)
    if error is not None:
        # Whoever may not see who is told has told nobody.
        log.log(logging.WARNING if address else logging.INFO, "%s: %s", connection.name, error.message)
    return error if address else None


def leave(home: Home, connection: SourceConnection, source: OpenSource) -> GoldsmithError | None:
    """Have the source tell us no more. Returns why it may do so all the same."""
    return _arranged(home, connection, source, None)


def _arranged(
    home: Home, connection: SourceConnection, source: OpenSource, address: str | None
) -> GoldsmithError | None:
    if not isinstance(source, TwoWaySource):
        return None
    try:
        source.arrange(address, HookMint(home).make(connection))
    except GoldsmithError as error:
        return error
    return None
