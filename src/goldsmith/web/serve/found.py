"""Puts the pages of aliases together from what the queries find. Used by the handlers only."""

from collections.abc import Sequence

from fastapi import Request
from sqlalchemy import orm

from goldsmith.people.types import Person
from goldsmith.serve import history, queries
from goldsmith.serve.errors import AliasNotFound
from goldsmith.serve.queries import ActiveModel
from goldsmith.serve.types import DEFAULT_ALIAS, parts_of
from goldsmith.web import alias_words
from goldsmith.web.forms import FormField, fields_of
from goldsmith.web.serve import views
from goldsmith.web.serve.forms import AliasForm, model_options, more_fields, share_fields
from goldsmith.web.serve.views import AliasesPage, AliasPage

NUM_HISTORY = 50


def aliases_page(session: orm.Session, person: Person, fields: Sequence[FormField] = ()) -> AliasesPage:
    """The list, and the form for a new one."""
    names = queries.model_names(session)
    options = model_options(_wanted(session, person.domain))
    typed = {field.name: field.value for field in fields}
    errors = {field.name: field.error for field in fields if field.error}
    return AliasesPage(
        title="Aliases",
        aliases=tuple(views.alias_line(row, names) for row in queries.aliases(session, domain=person.domain)),
        fields=fields_of(AliasForm, typed, errors=errors, options={"model": options}) if options else (),
    )


def alias_page(request: Request, session: orm.Session, person: Person, name: str) -> AliasPage:
    """One alias; also one that was removed, because it can be brought back. Raises AliasNotFound."""
    row = queries.alias(session, domain=person.domain, name=name)
    entries = queries.alias_history(session, name, domain=person.domain, limit=NUM_HISTORY)
    if row is None and not entries:
        raise AliasNotFound(f"There is no alias {name[:100]!r}.")
    names, wanted = queries.model_names(session), _wanted(session, person.domain)
    parts = parts_of(row.targets) if row is not None else ()
    before = history.before(session, name, domain=person.domain)
    leads_to = alias_words.shares(parts, names) if parts else ""
    return AliasPage(
        title=name,
        name=name,
        lead=views.lead(name, leads_to),
        leads_to=leads_to,
        is_default=name == DEFAULT_ALIAS,
        can_undo=alias_words.shares(before.parts, names) if before is not None else "",
        share_fields=share_fields(wanted, parts),
        more_fields=more_fields(wanted),
        address=f"{request.base_url}v1",
        history=tuple(views.history_line(entry, names) for entry in entries),
    )


def _wanted(session: orm.Session, domain: str) -> list[ActiveModel]:
    """Models that should be on an engine, each once."""
    found = {item.deployment.model_id: item for item in queries.active(session, domain=domain)}
    return [item for item in found.values() if item.deployment.is_wanted]
