"""Puts the web together: the door outside, every router in its list, and the list decides how errors are told.

`app.py` calls `make_web` with the routers of all steps; tests with those that they need.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from goldsmith.connect.syncing.telling import HookMint
from goldsmith.web import assets, design, health, hello, menu_now, needs, problems
from goldsmith.web.described import ERRORS
from goldsmith.web.embed_tokens import TokenMint
from goldsmith.web.faces import Face, Faces
from goldsmith.web.security import Door
from goldsmith.web.shell import Surroundings
from goldsmith.web.sign_in import Askers, CookieJar, KeyTable
from goldsmith.web.state import WebState
from goldsmith.web.stream import Stream


@dataclass(frozen=True)
class Routers:
    """Everybody's routers, by the form in which they tell errors."""

    pages: Sequence[APIRouter] = ()
    api: Sequence[APIRouter] = ()
    openai: Sequence[APIRouter] = ()
    embed: Sequence[APIRouter] = ()
    hooks: Sequence[APIRouter] = ()

    def and_ours(self) -> "Routers":
        """With the pages and answers that belong to no step."""
        pages = (hello.pages, menu_now.pages, design.pages, needs.pages, *self.pages)
        return replace(self, pages=pages, api=(health.api, *self.api))

    def by_face(self) -> Sequence[tuple[Face, Sequence[APIRouter]]]:
        """Each list under its name, in the order in which the routes are tried."""
        return (
            (Face.API, self.api),
            (Face.EMBED, self.embed),
            (Face.HOOK, self.hooks),
            (Face.OPENAI, self.openai),
            (Face.PAGE, self.pages),
        )


@dataclass(frozen=True)
class _Known:
    """A router, which is held here so that its id stays its own, and its routes."""

    router: APIRouter
    routes: Sequence[BaseRoute]


_KNOWN: dict[tuple[int, Face], _Known] = {}


class Web(FastAPI):
    """The application, with the door outside of everything, the answer to unforeseen errors included."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request goes to the door at once: FastAPI would ask first whether anybody wants its telemetry."""
        if scope["type"] == "lifespan" or self.middleware_stack is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self.middleware_stack(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Everything, behind the door; what was put directly behind it does not pass through FastAPI."""
        state: WebState = self.state.web
        inner = super().build_middleware_stack()
        for make in self.state.behind_door:
            inner = make(inner)
        askers = Askers(self.state.cookies, KeyTable(state.database), self.state.tokens, HookMint(state.home))
        return Door(inner, faces=self.state.faces, askers=askers, settings=state.settings)


def make_web(state: WebState, routers: Routers) -> FastAPI:
    """The application over these parts."""
    web = Web(
        title="Goldsmith",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        lifespan=_life,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    faces = Faces()
    for face, some in routers.and_ours().by_face():
        faces.add(some, face)
        for router in some:
            web.router.routes.extend(_routes(router, face))
    web.mount(assets.PREFIX, assets.HashedFiles())
    web.state.web = state
    web.state.faces = faces
    web.state.behind_door = []
    web.state.cookies = CookieJar(state.home)
    web.state.tokens = TokenMint(state.home)
    web.state.surroundings = Surroundings(state, faces.pages())
    web.state.stream = Stream(state.database)
    problems.add_handlers(web)
    return web


def _routes(router: APIRouter, face: Face) -> Sequence[BaseRoute]:
    """A router's routes as they stand in every application of this process.

    Kept, because FastAPI works out at the first request what each route of an application needs: a tenth of a second
    and more, which a thousand tests would wait for, each with an application of its own.
    """
    known = _KNOWN.get((id(router), face))
    if known is None:
        parent = APIRouter(redirect_slashes=False, generate_unique_id_function=_operation_id)
        parent.include_router(router, include_in_schema=face is not Face.PAGE, responses=ERRORS[face])
        known = _KNOWN[id(router), face] = _Known(router, tuple(parent.routes))
    return known.routes


def _operation_id(route: APIRoute) -> str:
    """Its name, methods and address as they are: `fine-tuning` and `fine_tuning` are two addresses."""
    return "_".join((route.name, *sorted(route.methods or ()), route.path))


@asynccontextmanager
async def _life(web: FastAPI) -> AsyncIterator[None]:
    yield
    web.state.stream.close()
