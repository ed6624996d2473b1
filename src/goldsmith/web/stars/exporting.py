"""Whose stars an export means: those that were given here, or those of a source that is connected."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from goldsmith.connect import service
from goldsmith.connect.types import Scope, Source
from goldsmith.people.types import DEFAULT_DOMAIN, Person
from goldsmith.stars import export as exporting
from goldsmith.stars.errors import ExportNotPossible, NoStars
from goldsmith.storage.files import Home
from goldsmith.web.dependencies import MakeSource
from goldsmith.web.stars.answers import ExportBody, TrainingSetAnswer

OWN, ARISTOTLE = "goldsmith", "aristotle"


def export(
    session: Session, home: Home, body: ExportBody, *, sources: Mapping[str, MakeSource], by: Person
) -> TrainingSetAnswer:
    """The training set. Raises NoStars, ExportNotPossible, and what the source raises."""
    source = _source(body, sources)
    if source is None:
        _check_scope(body, by.domain)
        return TrainingSetAnswer.of(exporting.export(session, home, body.request, by=by))
    if not body.philosopher or not body.domain:
        raise ExportNotPossible(f"Stars of {source.title} belong to a philosopher and a domain; name both.")
    wish = body.wish(Scope(body.philosopher, body.domain))
    brought = service.export(session, home, source, wish, body.request, by=by)
    answer = TrainingSetAnswer.of(brought.training_set)
    told = {"left_out": dict(brought.left_out), "notes": [*answer.notes, *brought.notes]}
    return answer.model_copy(update=told)


def _source(body: ExportBody, sources: Mapping[str, MakeSource]) -> Source | None:
    """The source that is meant; None for the stars that were given here."""
    if body.source == OWN:
        return None
    if body.source is None:
        is_meant = bool(body.philosopher) and body.domain not in (None, DEFAULT_DOMAIN)
        return sources[ARISTOTLE]() if is_meant and ARISTOTLE in sources else None
    make = sources.get(body.source)
    found = make() if make is not None else None
    if found is None:
        why = "It is not connected: set ARISTOTLE_DATABASE_URL." if make is not None else ""
        hint = f"{why} Leave source out to export the stars that were given in Goldsmith.".strip()
        raise ExportNotPossible(f"There is no source {body.source[:100]!r} to take stars from.", hint=hint)
    return found


def _check_scope(body: ExportBody, domain: str) -> None:
    given = (body.conquest_type, body.limit, body.system_message)
    if any(value is not None for value in given):
        raise ExportNotPossible("conquest_type, limit and system_message are for stars of Aristotle's alone.")
    if body.domain is not None and body.domain != domain:
        raise NoStars(
            f"The stars of {body.domain} are not yours to export; you belong to {domain}.",
            hint="Leave domain out, or use a key of a person of that organisation.",
        )
