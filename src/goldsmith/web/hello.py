"""Saying one's name: the page that a browser sees first, and the cookie that remembers it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import HTMLResponse, RedirectResponse

from goldsmith.people import service
from goldsmith.web.dependencies import Session
from goldsmith.web.forms import Filled, FormField, FormModel, fields_of, form_of
from goldsmith.web.pages import Page, redirect, render
from goldsmith.web.sign_in import COOKIE_LASTS_S, CookieJar

pages = APIRouter()


class HelloForm(FormModel):
    """Who is there."""

    name: Annotated[str, Field(min_length=1, max_length=100, title="Your name")]
    """It stands beside every gold star you give. There is no password; only this machine can open these pages."""
    next: Annotated[str, Field(json_schema_extra={"kind": "hidden"})] = "/"


@dataclass(frozen=True)
class HelloPage(Page):
    """Asks for a name."""

    template: ClassVar[str] = "hello.html"
    fields: tuple[FormField, ...]


@pages.get("/hello")
def ask(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002 - the name in the address
    """The page that asks for a name."""
    return render(request, HelloPage("Who is there?", fields_of(HelloForm, {"next": local(next)})))


@pages.post("/hello", response_model=None)
def be_known(
    request: Request, session: Session, form: Annotated[Filled[HelloForm], Depends(form_of(HelloForm))]
) -> HTMLResponse | RedirectResponse:
    """Remember the name in a signed cookie, and go on to where somebody wanted to go."""
    if not form.is_usable:
        return render(request, HelloPage("Who is there?", form.fields), status=422)
    person = service.known_by_name(session, form.usable.name)
    response = redirect(request, local(form.usable.next))
    jar: CookieJar = request.app.state.cookies
    signed = jar.for_person(person)
    response.set_cookie(CookieJar.PERSON, signed, max_age=COOKIE_LASTS_S, path="/", httponly=True, samesite="strict")
    return response


@pages.post("/goodbye")
def be_forgotten(request: Request) -> RedirectResponse:
    """Forget the name in this browser."""
    response = redirect(request, "/hello")
    response.delete_cookie(CookieJar.PERSON, path="/", httponly=True, samesite="strict")
    return response


def local(address: str) -> str:
    """An address of these pages; anything that could lead elsewhere becomes the home page."""
    is_local = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_local else "/"
