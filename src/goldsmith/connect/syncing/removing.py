"""Takes a source out: here at once, and there as far as it answers, where it was made to tell us what changes.

It is removed here whatever happens there; what then stays there is said, so that somebody can take it away.
"""

import threading
from dataclasses import dataclass
from typing import Final

from goldsmith.connect.sources.errors import SourceSilent
from goldsmith.connect.sources.types import OpenSource, Surroundings
from goldsmith.connect.syncing import queries, service, telling
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.errors import GoldsmithError
from goldsmith.people.types import Person
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

WITHIN_S: Final = 8.0
"""So long somebody waits for a source that does not answer."""


@dataclass(frozen=True)
class Removed:
    """A source that is read no more."""

    connection: SourceConnection
    left_there: str = ""
    """What could not be taken away there, and how a person does it."""

    @property
    def sentence(self) -> str:
        """What is said when it is done."""
        return " ".join(filter(None, (f"{self.connection.name} is read no more. What came in stays.", self.left_there)))


def remove(database: Database, home: Home, connection_id: str, surroundings: Surroundings, *, by: Person) -> Removed:
    """Read it no more, forget its password, and have it tell us nothing more. Call it with no transaction open.

    Raises ConnectionNotFound.
    """
    with database.reading() as session:
        found = queries.one(session, connection_id, domain=by.domain)
    source = _opened(home, found, surroundings)  # before its password is forgotten
    with database.transaction() as session:
        removed = service.remove(session, home, found.id, by=by)
    trouble = _told_off(home, removed, source)
    at = telling.told_at(removed)
    if at is None or trouble is None:
        return Removed(removed)
    return Removed(
        removed,
        f"But there it could not be taken out ({trouble}) So the webhook to {at} stays: delete it there, in the"
        " settings under Webhooks. Until then it is answered with 404.",
    )


def _opened(home: Home, connection: SourceConnection, surroundings: Surroundings) -> OpenSource | GoldsmithError:
    try:
        return service.opened(home, connection).source(surroundings)
    except GoldsmithError as error:
        return error
    except Exception as error:  # noqa: BLE001 - whatever a source meets, it must be possible to take it out
        return _unforeseen(error)


def _told_off(home: Home, connection: SourceConnection, source: OpenSource | GoldsmithError) -> str | None:
    """Have it tell us no more; returns why it may do so all the same."""
    if isinstance(source, GoldsmithError):
        return source.message
    said: list[str | None] = []
    thread = threading.Thread(target=lambda: said.append(_arranged(home, connection, source)), daemon=True)
    thread.start()
    thread.join(WITHIN_S)
    return said[0] if said else f"it does not answer within {WITHIN_S:g} seconds."


def _arranged(home: Home, connection: SourceConnection, source: OpenSource) -> str | None:
    try:
        trouble = telling.leave(home, connection, source)
    except Exception as error:  # noqa: BLE001 - as above
        trouble = _unforeseen(error)
    return trouble.message if trouble is not None else None


def _unforeseen(error: Exception) -> SourceSilent:
    return SourceSilent(f"it cannot be asked: {type(error).__name__}.")
