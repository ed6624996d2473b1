"""The grant of the token with which a page asks, and the key with which its server asked for that token."""

from typing import Annotated

from fastapi import Depends, Request

from goldsmith.connect.embedding.types import Grant
from goldsmith.connect.types import Source
from goldsmith.people.types import Holder
from goldsmith.web.dependencies import TheSources
from goldsmith.web.embed_tokens import TokenMint
from goldsmith.web.errors import KeyNeeded, TokenNeeded

ARISTOTLE = "aristotle"


def _grant(request: Request) -> Grant:
    found: Grant | None = getattr(request.state, "grant", None)
    if found is None:
        raise TokenNeeded("No token came with the request; a key or a cookie does not open this.")
    return found


def _holder(request: Request) -> Holder:
    found: Holder | None = getattr(request.state, "holder", None)
    if found is None:
        raise KeyNeeded("A token is asked for with a key, so that it ends when the key is revoked.")
    return found


def _mint(request: Request) -> TokenMint:
    mint: TokenMint = request.app.state.tokens
    return mint


def _source(sources: TheSources) -> Source | None:
    return sources[ARISTOTLE]() if ARISTOTLE in sources else None


TheGrant = Annotated[Grant, Depends(_grant)]
"""For whom the page asks, and what it may do."""
TheHolder = Annotated[Holder, Depends(_holder)]
"""The key with which the request came."""
TheMint = Annotated[TokenMint, Depends(_mint)]
TheStarSource = Annotated[Source | None, Depends(_source)]
"""Where the philosopher's stars live, when it is not here."""
