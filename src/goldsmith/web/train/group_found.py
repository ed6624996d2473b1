"""Puts the pages of several trainings together from what the steps' queries find. Used by the handlers only."""

from collections.abc import Mapping

from sqlalchemy import orm

from goldsmith.compare import queries as comparisons
from goldsmith.people.types import Person
from goldsmith.train import queries
from goldsmith.train.groups import GroupPlan
from goldsmith.train.tables import TrainingGroup
from goldsmith.train.workshop import Workshop
from goldsmith.web.train.group_views import (
    GroupListLine,
    GroupPage,
    SeveralPage,
    group_list_line,
    group_page,
    several_page,
)
from goldsmith.web.train.several_form import Several
from goldsmith.web.train.side_by_side import Measured

NUM_GROUPS = 10


def planned_page(planned: GroupPlan, several: Several, workshop: Workshop) -> SeveralPage:
    """Several trainings before they start."""
    backend = planned.trainings[0].what.backend
    query = f"?backend={backend.name}"
    titles = titles_of(backend.name, workshop)
    action = f"/training/several/start{query}"
    return several_page(planned, titles, action=action, posted=several.posted)


def one_page(session: orm.Session, group: TrainingGroup, workshop: Workshop) -> GroupPage:
    """A group of trainings beside each other."""
    rows = queries.of_group(session, group.id)
    found = [Measured(row, queries.series(session, row.id), {}) for row in rows]
    model_ids = [row.output_model_id for row in rows if row.output_model_id is not None]
    titles = titles_of(rows[0].backend, workshop) if rows else {}
    return group_page(group, found, titles, verdicts_of(session, model_ids))


def newest(session: orm.Session, person: Person) -> tuple[GroupListLine, ...]:
    """The newest groups, as lines of the list."""
    found = queries.groups(session, domain=person.domain, limit=NUM_GROUPS)
    return tuple(
        group_list_line(group, len(queries.of_group(session, group.id)), comparisons.curve_of_group(session, group.id))
        for group in found
    )


def verdicts_of(session: orm.Session, model_ids: list[str]) -> dict[str, tuple[str, str]]:
    """Model id → (what its newest comparison says, the comparison's address)."""
    found = comparisons.newest_verdicts(session, model_ids)
    return {one.fine_tuned_model_id: (_said(one.verdict or {}), f"/model-comparison/{one.id}") for one in found}


def _said(verdict: Mapping[str, object]) -> str:
    return str(verdict.get("sentence", ""))


def titles_of(backend: str, workshop: Workshop) -> dict[str, str]:
    """Setting → its words on the form."""
    found = workshop.backends.get(backend)
    fields = found.options.model_fields if found is not None else {}
    return {name: info.title or name for name, info in fields.items()}
