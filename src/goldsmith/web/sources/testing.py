"""Tests a source for pages and the API: what it said, or what was wrong. No transaction is open while it is asked."""

from goldsmith.connect.service import check_operator
from goldsmith.connect.sources.types import Surroundings
from goldsmith.connect.syncing import service
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.connect.syncing.types import ConnectionDraft
from goldsmith.errors import GoldsmithError
from goldsmith.people.types import Person
from goldsmith.storage.files import Home
from goldsmith.web.sources.views import Tested, looked, refused


def tested(home: Home, connection: SourceConnection, surroundings: Surroundings, *, by: Person) -> Tested:
    """Of a connection that is kept. Raises NotYourScope."""
    check_operator(by)
    try:
        return looked(service.test_kept(home, connection, surroundings))
    except GoldsmithError as error:
        return refused(error)


def tested_draft(draft: ConnectionDraft, surroundings: Surroundings, *, by: Person) -> Tested:
    """Of one that is being filled in. Raises NotYourScope."""
    check_operator(by)
    try:
        return looked(service.test(draft.kind, draft.options, surroundings))
    except GoldsmithError as error:
        return refused(error)
