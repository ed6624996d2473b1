"""What a browser has chosen for itself: light or dark, and whether single keys do anything. Kept in its own cookies.

Not signed and not secret: they change nothing but how a page looks in the browser that sent them. `goldsmith.js` reads
and writes the second one too.
"""

from enum import StrEnum
from typing import TypeVar

from fastapi import Request
from starlette.responses import Response

THEME_COOKIE = "goldsmith_theme"
KEYS_COOKIE = "goldsmith_keys"
LASTS_S = 400 * 24 * 3600
R = TypeVar("R", bound=Response)


class Theme(StrEnum):
    """How light the pages are."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


def theme_of(request: Request) -> Theme:
    """The browser's choice, else what its system says."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return Theme(chosen) if chosen in set(Theme) else Theme.SYSTEM


def has_keys(request: Request) -> bool:
    """Whether single keys do something in this browser."""
    return request.cookies.get(KEYS_COOKIE) != "off"


def keep(response: R, *, theme: Theme, has_single_keys: bool) -> R:
    """The answer, with the choice kept in the browser."""
    for name, value in ((THEME_COOKIE, theme.value), (KEYS_COOKIE, "on" if has_single_keys else "off")):
        response.set_cookie(name, value, max_age=LASTS_S, path="/", samesite="strict")
    return response
