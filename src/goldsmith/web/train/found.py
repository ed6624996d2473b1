"""Puts the pages of training together from what the steps' queries find. Used by the handlers only."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request
from sqlalchemy import orm

from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.costs import Cost
from goldsmith.jobs.states import JobState
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.models import queries as models
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.stars import queries as stars
from goldsmith.train import queries, repeating, service, waiting
from goldsmith.train.alarms import alarms_of, best_of
from goldsmith.train.backends.base import Backend
from goldsmith.train.dial import Dial
from goldsmith.train.doctor import cure_of
from goldsmith.train.recipe import backend_of, is_at_provider
from goldsmith.train.samples import sampled_rows
from goldsmith.train.sending import leaving
from goldsmith.train.service import Learned
from goldsmith.train.tables import PROVIDER, TrainingJob
from goldsmith.train.workshop import Workshop
from goldsmith.web import needs
from goldsmith.web.cost_facts import cost_facts
from goldsmith.web.forms import FormField
from goldsmith.web.job_lines import job_line
from goldsmith.web.listing import Pager, with_query
from goldsmith.web.log_lines import log_line
from goldsmith.web.train import group_found, views
from goldsmith.web.train.queue_views import QueueLine, queue_line
from goldsmith.web.train.several_form import several_fields
from goldsmith.web.train.side_by_side import Measured, SideBySidePage, side_by_side_page
from goldsmith.web.train.start_form import choices, folded, provider_of, with_choices, with_gpus, with_rest
from goldsmith.web.train.views import DEFAULT_BACKEND, NewTrainingPage, Next, Sample, TrainingPage, TrainingsPage

PAGE_SIZE = 50
NUM_EVENTS = 100
NUM_SAMPLES = 2


def trainings_page(request: Request, session: orm.Session, person: Person, before: str | None) -> TrainingsPage:
    """A page of the list."""
    found = queries.page(session, domain=person.domain, before=before, limit=PAGE_SIZE + 1)
    more = with_query(request, before=found[PAGE_SIZE - 1].id) if len(found) > PAGE_SIZE else None
    back = with_query(request, before=None) if before else None
    return TrainingsPage(
        title="Training",
        trainings=tuple(views.training_line(row) for row in found[:PAGE_SIZE]),
        groups=group_found.newest(session, person) if not before else (),
        num_waiting=len(jobs.line(session)),
        pager=Pager(f"{min(len(found), PAGE_SIZE)} shown, newest first", back, more),
        can_start=bool(stars.training_sets(session, domain=person.domain, limit=1)),
    )


def new_page(
    session: orm.Session,
    person: Person,
    workshop: Workshop,
    fields: tuple[FormField, ...],
    backend: Backend,
    dial: Dial | None = None,
) -> NewTrainingPage:
    """The form, with what there is to choose, what is missing, and a look at what would be learned."""
    plans = {name: one.plan(one.options(), workshop.machine) for name, one in workshop.backends.items()}
    trainer, at_provider = plans[backend.name].environment, plans[backend.name].at_provider
    options = choices(session, domain=person.domain, at_provider=at_provider)
    gpus = workshop.machine.gpus if not at_provider else ()
    shown = with_gpus(with_choices(fields, options, at_provider=at_provider), gpus)
    shown = with_rest(shown, has_gpus=bool(workshop.machine.gpus), at_provider=at_provider)
    values = {field.name: field.value for field in shown}
    chosen, base = values.get("training_set", ""), values.get("base_model", "")
    query = "" if backend.name == DEFAULT_BACKEND else f"?backend={backend.name}"
    return NewTrainingPage(
        title="Train a model",
        fields=shown,
        folded=folded(shown),
        action=f"/training/new{query}",
        several=several_fields(backend, {}) if not at_provider else (),
        plan=f"/training/several{query}",
        curve=f"/training/curves/plan{query}",
        rehearse=f"/training/rehearse{query}",
        needs=needs.for_training(session, workshop.home, domain=person.domain, trainer=trainer) if trainer else (),
        backend=backend.name,
        backends=tuple(name for name, plan in plans.items() if plan.environment is not None or plan.at_provider),
        at_provider=at_provider,
        leaving=_leaving(session, person, chosen, base) if at_provider else "",
        samples=_samples(session, chosen),
        look=f"/training/look?training_set={chosen}&base_model={base}" if chosen and base and not at_provider else "",
        dials=tuple((each.value, words, each is dial) for each, words in views.DIALS.items()),
        has_sets=bool(options["training_set"]),
        has_models=bool(options["base_model"]),
        address=f"/training/new{query}" + (f"{'&' if query else '?'}training_set={chosen}" if chosen else ""),
    )


def with_tried(page: NewTrainingPage, backend: Backend, typed: Mapping[str, str]) -> NewTrainingPage:
    """The form with what was typed of several values at once, where it asks for them."""
    return replace(page, several=several_fields(backend, typed)) if page.several else page


def _leaving(session: orm.Session, person: Person, training_set_id: str, engine_id: str) -> str:
    """What leaves this machine with this choice, in words; empty while nothing can be chosen."""
    engine = provider_of(session, engine_id, domain=person.domain)
    if engine is None or not training_set_id:
        return ""
    training_set = stars.training_set(session, training_set_id, domain=person.domain)
    return leaving(session, training_set, engine).sentence


def turned(
    session: orm.Session,
    person: Person,
    workshop: Workshop,
    backend: Backend,
    values: Mapping[str, str],
    dial: Dial | None,
) -> dict[str, Any]:
    """The values of the form, with the numbers of the dial for the rows and the model that are chosen."""
    at_provider, base = is_at_provider(backend, workshop.machine), None
    if at_provider:
        engine = provider_of(session, values.get("base_model", ""), domain=person.domain)
        values = {**values, "base_model": engine.id if engine is not None else ""}
    if dial is None or not values.get("training_set") or not values.get("base_model"):
        return dict(values)
    training_set = stars.training_set(session, values["training_set"], domain=person.domain)
    if not at_provider:
        base = models.base(session, values["base_model"], domain=person.domain)
    return {**values, **service.dialled(session, dial, backend, Learned(training_set, base), workshop=workshop)}


def training_page(
    session: orm.Session, row: TrainingJob, *, backends: Mapping[str, Backend], machine: MachineFacts
) -> TrainingPage:
    """One training."""
    job = jobs.one(session, row.id)
    line, points = job_line(job), queries.series(session, row.id)
    failure = JobFailure(**job.failure) if job.failure else None
    cure = cure_of(failure, row.config, device=machine.device) if failure is not None else None
    return TrainingPage(
        title=row.name,
        job=line,
        lead=views.lead_of(row),
        words=views.words_of(row, line),
        left=views.left_of(row, line),
        waits=_waits(session, job, machine),
        figures=(
            *views.figures_of(row, points, machine.memory_bytes, _final_loss(session, row)),
            *cost_facts(Cost.of_result(job.result)),
        ),
        failure=failure,
        cure=cure,
        cured=views.again_address(row, cure.settings) if cure is not None else "",
        alarms=tuple(alarms_of(points)) if row.output_model_id is None else (),
        samples=tuple(views.sampled(each) for each in sampled_rows(session, row)),
        best=best_of(points),
        can_keep=views.can_keep(row, line) and PROVIDER not in job.params,
        at_provider=PROVIDER in job.params,
        chart=views.chart_of(row, points),
        finding=views.finding_of(points),
        settings=_settings(row, backends, machine),
        events=tuple(log_line(event) for event in jobs.newest_events(session, row.id, limit=NUM_EVENTS)),
        left_out=views.left_out_lines(job.result),
        num_left_out=int((job.result or {}).get("num_left_out", 0)),
        next=_next(session, row),
        again=views.again_address(row),
        lineage=_lineage(session, row),
    )


def _waits(session: orm.Session, job: Job, machine: MachineFacts) -> QueueLine | None:
    """Where it stands in the line, and when it is likely to begin; None for one that does not wait in it."""
    found = waiting.one(session, machine, job) if job.state == JobState.QUEUED.value else None
    return queue_line(found) if found is not None else None


def side_by_side(
    session: orm.Session, rows: Sequence[TrainingJob], *, backends: Mapping[str, Backend], machine: MachineFacts
) -> SideBySidePage:
    """Some trainings beside each other."""
    return side_by_side_page(
        [Measured(row, queries.series(session, row.id), dict(_settings(row, backends, machine))) for row in rows]
    )


def _settings(row: TrainingJob, backends: Mapping[str, Backend], machine: MachineFacts) -> tuple[tuple[str, str], ...]:
    options = backend_of(row.backend, backends).options if row.backend in backends else None
    here = "GPU" if machine.gpus else f"{machine.num_cores} CPU cores"
    is_here = row.backend not in backends or not is_at_provider(backends[row.backend], machine)
    return views.settings_of(row, options, here if is_here else f"the machines of {row.base_model.split(' at ')[-1]}")


def _samples(session: orm.Session, training_set_id: str) -> tuple[Sample, ...]:
    if not training_set_id:
        return ()
    rows = stars.training_set_rows(session, training_set_id, "learn", limit=NUM_SAMPLES)
    return tuple(views.sample_of(row.position, row.messages) for row in rows)


def _final_loss(session: orm.Session, row: TrainingJob) -> float | None:
    if row.output_model_id is None:
        return None
    return models.tuned(session, row.output_model_id, domain=row.domain).final_loss


def _next(session: orm.Session, row: TrainingJob) -> Next | None:
    if row.output_model_id is None:
        return None
    live = {item.deployment.model_id for item in serve.active(session, domain=row.domain)}
    return Next(row.output_model_id, row.name, row.output_model_id in live)


def _lineage(session: orm.Session, row: TrainingJob) -> tuple[tuple[str, str, str | None], ...]:
    """From what it came and what came of it: (icon, words, address)."""
    base = models.base(session, row.base_model_id, domain=row.domain)
    started_from = (*_repeats(session, row), *_beside(session, row), *_learned_from(session, row))
    before = (*started_from, ("box", base.name, f"/models/{base.id}"))
    after = (("box", f"{row.name}, the new model", f"/models/{row.output_model_id}"),) if row.output_model_id else ()
    return (*before, *after)


def _repeats(session: orm.Session, row: TrainingJob) -> tuple[tuple[str, str, str | None], ...]:
    """The training that it repeats, and how far the two went the same way."""
    original = repeating.original_of(session, row)
    if original is None:
        return ()
    difference = repeating.largest_difference(session, original, row)
    measured = f"; no step's loss differs by more than {difference:.4f}" if difference is not None else ""
    return (("curve", f"Exactly as {original.name}{measured}", f"/training/{original.id}"),)


def _beside(session: orm.Session, row: TrainingJob) -> tuple[tuple[str, str, str | None], ...]:
    """The group that it was started in."""
    if row.group_id is None:
        return ()
    group = queries.group(session, row.group_id, domain=row.domain)
    return (("curve", f"One of several trainings: {group.name}", f"/training/groups/{group.id}"),)


def _learned_from(session: orm.Session, row: TrainingJob) -> tuple[tuple[str, str, str | None], ...]:
    """Its training set; nothing while uploaded files are still being read."""
    if row.training_set_id is None:
        return ()
    training_set = stars.training_set(session, row.training_set_id, domain=row.domain)
    words = f"{training_set.name}: {training_set.num_learn:,} rows to learn, {training_set.num_exam:,} kept back"
    return (("star", words, f"/training-sets/{training_set.id}"),)
