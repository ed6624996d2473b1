"""A page is a frozen dataclass that holds everything its template may use; the template sees it as `page`.

Beside it stands `shell`, what the layout shows around every page. Used by every step's handlers.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import jinja2
from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.templating import Jinja2Templates

from goldsmith.people.types import Person
from goldsmith.web import assets, badges
from goldsmith.web import format as formats
from goldsmith.web.looks import has_keys, theme_of
from goldsmith.web.shell import Shell, Surroundings, Toast
from goldsmith.web.sign_in import CookieJar

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """The base of every page. `template` is its file, `current` the menu entry that it belongs to."""

    template: ClassVar[str]
    current: ClassVar[str] = ""
    title: str


def make_environment() -> jinja2.Environment:
    """The environment for our own templates: they are part of the program, never written by people."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(formats.FILTERS)
    environment.globals.update(asset=assets.address, badge_of=badges.badge_of)
    return environment


_templates = Jinja2Templates(env=make_environment())


def render(request: Request, page: Page, *, status: int = 200, fragment: str | None = None) -> HTMLResponse:
    """The page, or for htmx only its `fragment` (a file that the page includes)."""
    toast = taken_toast(request)
    context = {"page": page, "shell": shell_at(request, page.current, toast)}
    name = fragment if fragment and wants_fragment(request) else page.template
    response = _templates.TemplateResponse(request, name, context, status_code=status)
    response.headers["vary"] = "HX-Request"
    if toast is not None:
        response.delete_cookie(CookieJar.TOAST, path="/")
    return response


def redirect(request: Request, path: str, *, toast: str | None = None, undo: str | None = None) -> RedirectResponse:
    """After a write: look at `path`, where `toast` is said once, with a button that posts to `undo`."""
    response = RedirectResponse(quote(path, safe="/?=&#%:,._-~+"), status_code=303)
    if toast:
        jar: CookieJar = request.app.state.cookies
        text = json.dumps(asdict(Toast(toast, undo)))
        response.set_cookie(CookieJar.TOAST, jar.sign(text), max_age=60, path="/", httponly=True, samesite="strict")
    return response


def wants_fragment(request: Request) -> bool:
    """Whether htmx asked for a part of a page, not for a page out of the history."""
    return "hx-request" in request.headers and "hx-history-restore-request" not in request.headers


def shell_at(request: Request, current: str, toast: Toast | None = None) -> Shell:
    """What surrounds a page that belongs to the menu entry `current`."""
    surroundings: Surroundings = request.app.state.surroundings
    person: Person | None = getattr(request.state, "person", None)
    shell = surroundings.shell(person, current=current, path=request.scope["path"], toast=toast)
    return replace(shell, theme=theme_of(request), has_keys=has_keys(request))


def forget_surroundings(request: Request, person: Person) -> None:
    """What stands around pages has just been changed by this person."""
    surroundings: Surroundings = request.app.state.surroundings
    surroundings.forget(person)


def taken_toast(request: Request) -> Toast | None:
    """The sentence that the last write left for this page; a page that is only fetched ahead leaves it there."""
    if request.headers.get("purpose") == "prefetch":
        return None
    jar: CookieJar = request.app.state.cookies
    text = jar.read(request.cookies.get(CookieJar.TOAST, ""), max_age_s=60)
    return Toast(**json.loads(text)) if text else None


def render_alone(request: Request, template: str, **context: object) -> str:
    """A template without a page around it, as text."""
    del request
    return _templates.env.get_template(template).render(**context)
