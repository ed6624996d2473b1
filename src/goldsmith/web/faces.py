"""In which form a route answers when something goes wrong: the router decides, by the list in which it was handed over.

`factory.py` fills the table; `problems.py` and `security.py` ask it. An address that no router knows has no face.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path


class Face(StrEnum):
    """For whom a route answers."""

    PAGE = "page"
    """People: a page, or for htmx an alert."""
    API = "api"
    """Programs: RFC 9457 problems."""
    EMBED = "embed"
    """Pages of other applications, which hold a token; it opens nothing else. Errors are told as to programs."""
    HOOK = "hook"
    """Sources that say that something has changed there, each with a token that opens nothing else. Errors as above."""
    OPENAI = "openai"
    """Clients of OpenAI's API: its error object."""


@dataclass(frozen=True)
class Known:
    """A route: its address, its methods, its face."""

    path: str
    pattern: re.Pattern[str]
    methods: frozenset[str]
    face: Face


@dataclass
class Faces:
    """Every route there is, in the order in which they are tried."""

    routes: list[Known] = field(default_factory=list)

    def add(self, routers: Iterable[APIRouter], face: Face) -> None:
        """Note every route of these routers."""
        for context in iter_route_contexts([route for router in routers for route in router.routes]):
            if context.path is None:
                raise ValueError(f"{context!r} has no path of its own; give each router its routes directly")
            pattern, _, _ = compile_path(context.path)
            self.routes.append(Known(context.path, pattern, frozenset(context.methods or ()), face))

    def of(self, path: str, method: str) -> Face | None:
        """The face of the route that will answer; when only the method is wrong, that of the address."""
        fallback = None
        for route in self.routes:
            if route.pattern.match(path):
                if method in route.methods or not route.methods:
                    return route.face
                fallback = fallback or route.face
        return fallback

    def pages(self) -> frozenset[str]:
        """The addresses at which a page can be opened."""
        return frozenset(route.path for route in self.routes if route.face is Face.PAGE and "GET" in route.methods)
