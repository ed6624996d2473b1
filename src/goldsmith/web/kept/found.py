"""Puts the page of kept traffic together. Used by handlers only."""

from dataclasses import replace

from fastapi import Request
from sqlalchemy import orm

from goldsmith.people import service as people
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.serve.kept import queries
from goldsmith.web.forms import FormField, Option, fields_of
from goldsmith.web.kept.forms import FIRST, RuleForm
from goldsmith.web.kept.views import KeptPage, kept_line, rule_line
from goldsmith.web.listing import Head, Pager, chips, with_query

PAGE_SIZE = 50
_HEADS = (Head("Asked"), Head("Answered"), Head("By"), Head("When"))


def kept_page(
    request: Request,
    session: orm.Session,
    person: Person,
    *,
    alias: str | None = None,
    before: str | None = None,
    fields: tuple[FormField, ...] = (),
) -> KeptPage:
    """The page, with its form as nobody has filled it yet, or as it was sent."""
    rules = queries.rules(session, domain=person.domain)
    found = queries.page(session, domain=person.domain, alias=alias, before=before, limit=PAGE_SIZE + 1)
    counts = queries.counts(session, domain=person.domain)
    names = serve.model_names(session)
    more = with_query(request, before=found[PAGE_SIZE - 1].id) if len(found) > PAGE_SIZE else None
    shown = found[:PAGE_SIZE]
    return KeptPage(
        title="Kept requests",
        rules=tuple(rule_line(rule, _name(session, rule.changed_by)) for rule in rules),
        is_on=any(rule.share > 0 for rule in rules),
        fields=_with_aliases(session, person, fields or fields_of(RuleForm, FIRST)),
        lines=tuple(kept_line(row, names) for row in shown),
        num_kept=sum(counts.values()) if alias is None else counts.get(alias, 0),
        alias=alias,
        filters=chips(request, "alias", [("", "All"), *((name, name) for name in sorted(counts) if name)]),
        heads=_HEADS,
        pager=Pager(f"{len(shown)} shown, newest first", with_query(request, before=None) if before else None, more),
    )


def _with_aliases(session: orm.Session, person: Person, fields: tuple[FormField, ...]) -> tuple[FormField, ...]:
    names = [alias.name for alias in serve.aliases(session, domain=person.domain)]
    options = (Option("", "every model and alias that has no rule of its own"), *(Option(name, name) for name in names))
    return tuple(
        replace(each, kind="select", options=options, is_required=True) if each.name == "alias" else each
        for each in fields
    )


def _name(session: orm.Session, person_id: str) -> str:
    person = people.one(session, person_id)
    return person.name if person is not None else person_id
