"""The tokens with which pages of other applications ask: what they say is signed with a secret of the home folder.

Nothing of a token is kept here. It is good until its time is over, and as long as the key is with which it was asked
for; `security.py` looks at both.
"""

import base64
import json
from datetime import datetime
from typing import Final

from itsdangerous import BadData, Signer

from goldsmith.connect.embedding.types import Grant, Permission
from goldsmith.connect.types import Scope
from goldsmith.people.types import Person
from goldsmith.storage import clock
from goldsmith.storage.files import Home

TOKEN_START: Final = "gse_"  # noqa: S105 - how every token begins


class TokenMint:
    """Makes tokens, and reads those that it made."""

    def __init__(self, home: Home) -> None:
        self._signer = Signer(home.own_secret("embed"), salt="goldsmith.embed", key_derivation="hmac")

    def make(self, grant: Grant) -> str:
        """The token of a grant. Whoever holds it can read what it says, and change nothing of it."""
        said = {
            "key": grant.key_id,
            "person": [grant.person.id, grant.person.name, grant.person.domain],
            "philosopher": grant.scope.philosopher,
            "domain": grant.scope.domain,
            "may": sorted(grant.may),
            "until": grant.expires_at.isoformat(),
        }
        text = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
        return TOKEN_START + self._signer.sign(text).decode()

    def read(self, token: str) -> Grant | None:
        """What a token says; None for one that is not ours, or whose time is over."""
        try:
            text = self._signer.unsign(token.removeprefix(TOKEN_START)).decode()
        except BadData:
            return None
        said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        grant = Grant(
            key_id=said["key"],
            person=Person(*said["person"]),
            scope=Scope(said["philosopher"], said["domain"]),
            may=frozenset(Permission(each) for each in said["may"]),
            expires_at=datetime.fromisoformat(said["until"]),
        )
        return grant if grant.expires_at > clock.now() else None
