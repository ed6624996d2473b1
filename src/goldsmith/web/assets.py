"""Static files under addresses that carry their content's hash, so that browsers may keep them for ever."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
PREFIX = "/static"
FOREVER = "public, max-age=31536000, immutable"


@cache
def address(name: str) -> str:
    """The address of a static file: `goldsmith.css` → `/static/goldsmith.css?v=1a2b3c4d5e`."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"{PREFIX}/{name}?v={digest}"


class HashedFiles(StaticFiles):
    """Serves the folder; an address with the right hash may be kept for ever, any other is asked for again."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        asked = f"{PREFIX}/{path}?{scope['query_string'].decode('latin-1')}"
        is_current = (STATIC / path).is_file() and asked == address(path)
        response.headers["cache-control"] = FOREVER if is_current else "no-cache"
        return response
