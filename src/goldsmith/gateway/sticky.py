"""Keeps a caller at one model of an alias, without remembering anybody. Pure.

Each part draws a number from the caller's name and its own; the share bends it, and the smallest wins (weighted
rendezvous hashing). So every part gets its share of the callers; when one part's share grows, callers only come to it;
and a part that goes away, or is not ready, moves nobody but its own callers.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from goldsmith.serve.types import Share

HEADER: Final = b"x-goldsmith-session"
FIELDS: Final = ("user", "safety_identifier")
"""Fields of OpenAI's API that name the caller's own user; the first that is there counts."""
MAX_CHARACTERS = 1024


def named_in(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The caller that the header names."""
    for name, value in headers:
        if name == HEADER:
            return value[:MAX_CHARACTERS].decode("latin-1").strip() or None
    return None


def named_by(body: Mapping[str, Any]) -> str | None:
    """The caller that the body names."""
    for name in FIELDS:
        value = body.get(name)
        if isinstance(value, str) and value:
            return value[:MAX_CHARACTERS]
    return None


def choose(shares: Sequence[Share], caller: str) -> Share:
    """The part that this caller gets."""
    if len(shares) == 1:
        return shares[0]
    return min(shares, key=lambda share: (-math.log(_drawn(share, caller)) / share.share, share.model_id))


def _drawn(share: Share, caller: str) -> float:
    """A number between 0 and 1, always the same for this caller, alias and model."""
    text = f"{share.alias}\0{share.model_id}\0{caller}".encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.blake2b(text, digest_size=6).digest())
    return (number + 0.5) / 2**48
