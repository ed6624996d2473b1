"""Errors → answers: the one table from family to status, and the three faces in which an error is told.

Programs get an RFC 9457 problem, clients of OpenAI's API its error object, people a page; htmx gets an alert with the
same status for the place `#alerts`. What nobody foresaw is a 500 with a reference number that leads to the log entry.
"""

import errno
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from goldsmith.errors import Conflict, Denied, GoldsmithError, Invalid, NotFound, Unavailable
from goldsmith.people.errors import NotSignedIn
from goldsmith.web import errors
from goldsmith.web.faces import Face, Faces
from goldsmith.web.pages import Page, render, render_alone, wants_fragment

STATUS: Mapping[type[GoldsmithError], int] = {
    NotFound: 404,
    Invalid: 422,
    Conflict: 409,
    Denied: 403,
    Unavailable: 503,
    NotSignedIn: 401,
    errors.HostNotAllowed: 421,
    errors.AmbiguousRequest: 400,
    errors.BodyTooLarge: 413,
    errors.WrongContentType: 415,
    errors.MethodNotOffered: 405,
    GoldsmithError: 500,
}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProblemPage(Page):
    """What happened, what to do, and a way back."""

    template: ClassVar[str] = "problem.html"
    detail: str
    hint: str
    status: int
    reference: str | None
    back: str | None
    """The page of ours on which a button was pressed."""


@dataclass(frozen=True)
class Problem:
    """An error as it is told, in whatever form."""

    slug: str
    title: str
    status: int
    detail: str
    hint: str
    reference: str | None = None
    values: Sequence[Mapping[str, str]] = ()
    """For values that cannot be used: where each stands, and what is wrong with it."""
    headers: Mapping[str, str] | None = None


def status_of(error: GoldsmithError) -> int:
    """The status of the nearest class of this error that has one."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def problem_of(error: GoldsmithError) -> Problem:
    """An error of ours as a problem."""
    return Problem(error.slug(), error.title, status_of(error), error.message, error.hint)


def respond(request: Request, problem: Problem) -> Response:
    """The problem in the form of the router that was asked."""
    answers = {Face.OPENAI: _as_openai_error, Face.PAGE: _as_page}
    response = answers.get(face_of(request), _as_problem_json)(request, problem)
    response.headers.update(problem.headers or {})
    if response.status_code == 401:
        response.headers["www-authenticate"] = "Bearer"
    return response


def face_of(request: Request) -> Face:
    """The face of the router that answers this address; where there is none, a page for whoever reads pages."""
    faces: Faces = request.app.state.faces
    found = faces.of(request.scope["path"], request.scope.get("method", "GET"))
    reads_pages = "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers
    return found or (Face.PAGE if reads_pages else Face.API)


def add_handlers(app: FastAPI) -> None:
    """Tell the app what to do with every kind of error."""
    app.add_exception_handler(GoldsmithError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_unusable_values)
    app.add_exception_handler(HTTPException, _on_http)
    for kind in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(kind, _on_database)
    app.add_exception_handler(OSError, _on_system)
    app.add_exception_handler(Exception, _on_unforeseen)


def _on_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, GoldsmithError)  # noqa: S101 - Starlette calls this for no other
    if status_of(error) == 500:
        return _on_unforeseen(request, error)
    return respond(request, problem_of(error))


def _on_unusable_values(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - Starlette calls this for no other
    values = [{"where": _where(each["loc"]), "message": str(each["msg"])} for each in error.errors()]
    detail = "; ".join(f"{value['where']}: {value['message']}" for value in values)
    ours = problem_of(errors.RequestNotUnderstood(detail))
    return respond(request, Problem(ours.slug, ours.title, ours.status, detail, ours.hint, values=values))


def _where(location: Sequence[Any]) -> str:
    place, *names = (str(part) for part in location)
    return f"{'.'.join(names)} ({place})" if names else place


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls this for no other
    if isinstance(error.__cause__, GoldsmithError):
        return _on_ours(request, error.__cause__)
    path = request.scope["path"]
    known: dict[int, GoldsmithError] = {
        404: errors.PageNotFound(f"There is nothing at {path}."),
        405: errors.MethodNotOffered(f"{path} cannot be asked with {request.scope['method']}."),
    }
    ours = problem_of(known.get(error.status_code, errors.RequestNotUnderstood(str(error.detail))))
    status = max(error.status_code, 400)
    return respond(request, Problem(ours.slug, ours.title, status, ours.detail, ours.hint, headers=error.headers))


def _on_database(request: Request, error: Exception) -> Response:
    log.warning("the database did not answer %s: %s", request.scope["path"], error)
    text = str(error)
    if "disk is full" in text or "No space left" in text:
        return respond(request, problem_of(errors.DiskFull("The database could not write: there is no room left.")))
    return respond(request, problem_of(errors.DatabaseNotAnswering("The database did not take this request.")))


def _on_system(request: Request, error: Exception) -> Response:
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return respond(request, problem_of(errors.DiskFull("A file could not be written: there is no room left.")))
    return _on_unforeseen(request, error)


def _on_unforeseen(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(4)
    log.error("reference %s: %s %s", reference, request.scope.get("method"), request.scope["path"], exc_info=error)
    detail = f"Goldsmith met something that it did not expect. Reference {reference}."
    hint = GoldsmithError.default_hint
    return respond(request, Problem("unforeseen", GoldsmithError.title, 500, detail, hint, reference))


def _as_problem_json(request: Request, problem: Problem) -> Response:
    content: dict[str, Any] = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.scope["path"],
        "hint": problem.hint,
    }
    if problem.values:
        content["errors"] = list(problem.values)
    if problem.reference:
        content["reference"] = problem.reference
    return JSONResponse(content, problem.status, media_type="application/problem+json")


def _as_openai_error(request: Request, problem: Problem) -> Response:
    del request
    kind = "server_error" if problem.status >= 500 else "invalid_request_error"
    code = "invalid_api_key" if problem.status == 401 else problem.slug.replace("-", "_")
    param = problem.values[0]["where"] if problem.values else None
    message = f"{problem.detail} {problem.hint}"
    status = 400 if problem.status == 422 else problem.status  # OpenAI's API knows no 422
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


def _as_page(request: Request, problem: Problem) -> Response:
    path = request.scope["path"]
    if wants_fragment(request):
        text = render_alone(request, "problem_alert.html", problem=problem)
        where = {"hx-retarget": "#alerts", "hx-reswap": "innerHTML"}
        return Response(text, problem.status, headers=where, media_type="text/html")
    if problem.status == 401 and request.scope["method"] == "GET":
        query = request.scope["query_string"].decode("latin-1")
        return RedirectResponse(hello_address(f"{path}?{query}" if query else path), status_code=303)
    back = _came_from(request)
    page = ProblemPage(problem.title, problem.detail, problem.hint, problem.status, problem.reference, back)
    return render(request, page, status=problem.status)


def _came_from(request: Request) -> str | None:
    """The page whose form was sent; None for a link, whose page may lie anywhere."""
    referer = urlsplit(request.headers.get("referer", ""))
    is_ours = referer.netloc == request.headers.get("host") and referer.path.startswith("/")
    if request.scope["method"] != "POST" or not is_ours or referer.path == request.scope["path"]:
        return None
    return f"{referer.path}?{referer.query}" if referer.query else referer.path


def hello_address(back_to: str) -> str:
    """The sign-in page, which leads back to where somebody wanted to go."""
    return "/hello" if back_to == "/" else f"/hello?next={quote(back_to, safe='')}"
