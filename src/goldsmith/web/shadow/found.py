"""Puts the page of a shadow together. Used by handlers only."""

from fastapi import Request
from sqlalchemy import orm

from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.serve import aliases
from goldsmith.serve import queries as serve
from goldsmith.serve.shadow import queries
from goldsmith.serve.shadow.errors import ShadowNotFound
from goldsmith.serve.shadow.tables import ShadowRule
from goldsmith.serve.types import parts_of
from goldsmith.web.forms import FormField, Option, fields_of
from goldsmith.web.listing import Head, Pager, with_query
from goldsmith.web.shadow.forms import FIRST, ShadowForm
from goldsmith.web.shadow.views import ShadowPage, pair_line, same_words, sentence, side_line

PAGE_SIZE = 30
_SIDES = (
    Head("Side"),
    Head("Answers", is_number=True),
    Head("Errors", is_number=True),
    Head("Invalid JSON", is_number=True),
    Head("Median time", is_number=True),
    Head("Mean length", is_number=True),
)
_PAIRS = (Head("Asked"), Head("Sent to the caller"), Head("Not sent"), Head("Time sent / not sent"), Head("When"))


def shadow_page(
    request: Request,
    session: orm.Session,
    person: Person,
    alias: str,
    *,
    before: str | None = None,
    fields: tuple[FormField, ...] = (),
) -> ShadowPage:
    """The page. Raises AliasNotFound."""
    found = aliases.one(session, alias, domain=person.domain)
    rule = _rule(session, alias, person)
    measured = queries.measures(session, rule) if rule is not None else None
    pairs = queries.page(session, alias, domain=person.domain, before=before, limit=PAGE_SIZE + 1)
    names, shown = serve.model_names(session), pairs[:PAGE_SIZE]
    more = with_query(request, before=shown[-1].id) if len(pairs) > PAGE_SIZE else None
    own = [part.model_id for part in parts_of(found.targets)]
    name = names.get(rule.model_id, rule.model_id) if rule is not None else ""
    return ShadowPage(
        title=f"Shadow of {alias}",
        alias=alias,
        is_on=rule is not None and rule.share > 0,
        sentence=sentence(rule, name, _who(session, rule.changed_by)) if rule is not None else "",
        sides=(side_line(f"sent by {alias}", measured.sent), side_line(f"{name}, not sent", measured.shadow))
        if measured is not None and measured.num_pairs
        else (),
        side_heads=_SIDES,
        same=same_words(measured) if measured is not None else "",
        pairs=tuple(pair_line(pair, names) for pair in shown),
        pair_heads=_PAIRS,
        pager=Pager(f"{len(shown)} shown, newest first", with_query(request, before=None) if before else None, more),
        fields=_fields(session, person, own, fields or _values(rule)),
    )


def _rule(session: orm.Session, alias: str, person: Person) -> ShadowRule | None:
    try:
        return queries.one(session, alias, domain=person.domain)
    except ShadowNotFound:
        return None


def _values(rule: ShadowRule | None) -> dict[str, object]:
    """What the form begins with: what holds now, else what is careful."""
    if rule is None or rule.share <= 0:
        return dict(FIRST)
    percent = round(100 * rule.share, 6)
    return {
        "model": rule.model_id,
        "percent": f"{percent:g}",
        "max_at_once": rule.max_at_once,
        "within_s": f"{rule.within_s:g}",
        "days": rule.days,
    }


def _fields(
    session: orm.Session, person: Person, own: list[str], begun: tuple[FormField, ...] | dict[str, object]
) -> tuple[FormField, ...]:
    found = {item.deployment.model_id: item for item in serve.active(session, domain=person.domain)}
    options = [
        Option(model_id, item.name)
        for model_id, item in found.items()
        if item.deployment.is_wanted and own != [model_id]
    ]
    if not options:
        return ()
    typed = begun if isinstance(begun, tuple) else ()
    values = begun if isinstance(begun, dict) else {field.name: field.value for field in typed}
    errors = {field.name: field.error for field in typed if field.error}
    return fields_of(ShadowForm, {"model": options[0].value, **values}, errors=errors, options={"model": options})


def _who(session: orm.Session, person_id: str) -> str:
    person = people.one(session, person_id)
    return person.name if person is not None else person_id
