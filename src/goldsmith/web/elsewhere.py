"""Which answers pages of other applications may read: those made for them, where the settings name their origin.

`security.py` asks. Nobody's frame shows a page of ours, whether named or not: what is shown elsewhere are elements.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from starlette.types import Scope

from goldsmith.web.faces import Face, Faces

SCRIPTS: Final = re.compile(r"/static/embed/[a-z-]+\.js")
"""The script that other applications load, and its parts; whole paths, so that none leads out of their folder."""
PREFLIGHT_LASTS_S: Final = 600
_ASKS = "access-control-request-method"
_ASKS_PRIVATE = "access-control-request-private-network"


class Elsewhere:
    """What may be read by whom."""

    def __init__(self, faces: Faces, origins: Collection[str]) -> None:
        self._faces = faces
        self._origins = frozenset(origins)

    def is_named(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        """Whether the request comes from a page that was named, and asks for something made for such pages."""
        if headers.get("origin", "").lower() not in self._origins:
            return False
        method = headers.get(_ASKS, scope["method"]) if is_preflight(scope, headers) else scope.get("method", "GET")
        return SCRIPTS.fullmatch(scope["path"]) is not None or self._faces.of(scope["path"], method) is Face.EMBED

    def headers(self, scope: Scope, headers: Mapping[str, str]) -> dict[str, str]:
        """What lets the page read the answer. Nothing lets it send or get cookies."""
        found = {"vary": "origin"} if SCRIPTS.fullmatch(scope["path"]) else {}
        if not self.is_named(scope, headers):
            return found
        found = {
            "access-control-allow-origin": headers["origin"],
            "cross-origin-resource-policy": "cross-origin",
            "vary": "origin",
        }
        if is_preflight(scope, headers):
            found["access-control-allow-methods"] = headers[_ASKS]
            found["access-control-allow-headers"] = "authorization, content-type"
            found["access-control-max-age"] = str(PREFLIGHT_LASTS_S)
        if _ASKS_PRIVATE in headers:  # Chromium asks it before a public page may reach a private address
            found["access-control-allow-private-network"] = "true"
        return found


def is_preflight(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether a browser only asks what it may ask."""
    return scope.get("method") == "OPTIONS" and "origin" in headers and _ASKS in headers
