"""Puts the pages of aliases together from what the queries find. Used by the handlers only."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from fastapi import Request
from sqlalchemy import orm

from goldsmith.people.types import Person
from goldsmith.serve import history, queries, rollouts, traffic
from goldsmith.serve.errors import AliasNotFound
from goldsmith.serve.queries import ActiveModel
from goldsmith.serve.tables import Rollout
from goldsmith.serve.types import DEFAULT_ALIAS, Part, RolloutState, parts_of
from goldsmith.storage import clock
from goldsmith.web import alias_words
from goldsmith.web.forms import FormField, fields_of
from goldsmith.web.serve import views
from goldsmith.web.serve.forms import AliasForm, RolloutForm, model_options, more_fields, share_fields
from goldsmith.web.serve.views import AliasesPage, AliasPage, TrafficLine

NUM_HISTORY = 50
TRAFFIC_SHOWN = timedelta(hours=24)


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
    last = next(iter(rollouts.page(session, name, domain=person.domain, limit=1)), None)
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
        rollout=views.rollout_card(last, rollouts.counts_of(session, last), names) if last is not None else None,
        rollout_fields=_rollout_fields(wanted, parts, last),
        traffic=_traffic(session, name, names, domain=person.domain),
        history=tuple(views.history_line(entry, names) for entry in entries),
    )


def _rollout_fields(found: Sequence[ActiveModel], parts: Sequence[Part], last: Rollout | None) -> tuple[FormField, ...]:
    whole = {part.model_id for part in parts if part.share == 1}
    options = model_options([item for item in found if item.deployment.model_id not in whole])
    is_running = last is not None and last.state == RolloutState.RUNNING.value
    possible = parts and not is_running and any(option.is_possible for option in options)
    return fields_of(RolloutForm, options={"model": options}) if possible else ()


def _traffic(session: orm.Session, name: str, names: Mapping[str, str], *, domain: str) -> tuple[TrafficLine, ...]:
    found = traffic.by_model(session, domain=domain, alias=name, since=clock.now() - TRAFFIC_SHOWN)
    return tuple(views.traffic_line(names.get(each, each), counts) for each, counts in found.items())


def _wanted(session: orm.Session, domain: str) -> list[ActiveModel]:
    """Models that should be on an engine, each once."""
    found = {item.deployment.model_id: item for item in queries.active(session, domain=domain)}
    return [item for item in found.values() if item.deployment.is_wanted]
