"""The menu's counts and the engine's line, asked for again by a page that stays open while something changes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from goldsmith.web.dependencies import CurrentPerson
from goldsmith.web.pages import render_alone, shell_at

pages = APIRouter()


@pages.get("/menu")
def menu_now(request: Request, person: CurrentPerson, at: Annotated[str, Query(max_length=40)] = "") -> HTMLResponse:
    """The menu as it is now; `at` is the entry of the page on which it stands."""
    del person
    return HTMLResponse(render_alone(request, "parts/menu_now.html", shell=shell_at(request, at)))
