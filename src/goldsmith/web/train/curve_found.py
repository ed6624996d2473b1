"""Puts the pages of learning curves together from what the steps' queries find. Used by the handlers only."""

from sqlalchemy import orm

from goldsmith.compare.tables import LearningCurve
from goldsmith.jobs import queries as jobs
from goldsmith.stars import queries as stars
from goldsmith.train import queries
from goldsmith.train.groups import GroupPlan
from goldsmith.train.workshop import Workshop
from goldsmith.web.job_lines import job_line
from goldsmith.web.train.curve_views import CurvePage, curve_page
from goldsmith.web.train.group_found import titles_of
from goldsmith.web.train.group_views import SeveralPage, several_page
from goldsmith.web.train.several_form import Several
from goldsmith.web.train.side_by_side import Measured


def planned_page(planned: GroupPlan, several: Several, workshop: Workshop) -> SeveralPage:
    """The trainings of a learning curve before they start."""
    backend = planned.trainings[0].what.backend.name
    action = f"/training/curves?backend={backend}"
    return several_page(planned, titles_of(backend, workshop), action=action, posted=several.posted)


def one_page(session: orm.Session, curve: LearningCurve) -> CurvePage:
    """A learning curve."""
    training_set = stars.training_set(session, curve.training_set_id, domain=curve.domain)
    rows = queries.of_group(session, curve.group_id)
    found = [Measured(row, queries.series(session, row.id), {}) for row in rows]
    job = job_line(jobs.one(session, curve.job_id)) if curve.job_id is not None else None
    return curve_page(curve, training_set.name, found, job)
