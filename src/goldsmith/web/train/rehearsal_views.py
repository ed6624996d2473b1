"""What the page of a rehearsal shows, made from its job. Knows no request and asks no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from goldsmith.environments.machine import MachineFacts
from goldsmith.jobs.costs import Cost
from goldsmith.jobs.tables import Job
from goldsmith.jobs.types import JobFailure
from goldsmith.train.doctor import Cure, cure_of
from goldsmith.train.rehearsal import Forecast
from goldsmith.train.rehearsing import forecast_of
from goldsmith.train.tables import ENGINES_REST
from goldsmith.web import format as formats
from goldsmith.web.cost_facts import cost_facts
from goldsmith.web.job_lines import JobLine, job_line
from goldsmith.web.pages import Page
from goldsmith.web.train.views import DEFAULT_BACKEND

Fact = tuple[str, str | None, str]


@dataclass(frozen=True)
class RehearsalPage(Page):
    """What a training would take, or why it does not fit."""

    template: ClassVar[str] = "train/rehearsal.html"
    current: ClassVar[str] = "training"
    job: JobLine
    lead: str
    place: int | None
    facts: tuple[Fact, ...]
    """Empty until it is over."""
    engine: str
    is_refused: bool
    """The engine would not load what this training makes."""
    failure: JobFailure | None
    cure: Cure | None
    values: Mapping[str, str]
    """The form that starts this training."""
    cured: Mapping[str, str]
    """The same, with what may make it fit."""
    backend: str
    """The part of an address that names it."""
    form: str


def rehearsal_page(job: Job, *, place: int | None, machine: MachineFacts, names: tuple[str, str]) -> RehearsalPage:
    """The page of one; `names` are those of training set and base model."""
    params = job.params
    failure = JobFailure(**job.failure) if job.failure else None
    cure = cure_of(failure, params["options"], device=machine.device) if failure is not None else None
    found, engine = forecast_of(job.result), (job.result or {}).get("engine", {})
    facts = (*_facts(found, machine.memory_bytes), *cost_facts(Cost.of_result(job.result))) if found is not None else ()
    values = values_of(job)
    return RehearsalPage(
        title="Rehearsal",
        job=job_line(job),
        lead=f"{names[0]} on {names[1]}: a few real steps on the longest rows and on usual ones. No model is made.",
        place=place,
        facts=facts,
        engine=engine_words(engine) if found is not None else "",
        is_refused=engine.get("is_accepted") is False,
        failure=failure,
        cure=cure,
        values=values,
        cured=values_of(job, cure.settings) if cure is not None else {},
        backend="" if params["backend"] == DEFAULT_BACKEND else f"?backend={params['backend']}",
        form=f"/training/new?{urlencode({**values, 'backend': params['backend']})}",
    )


def values_of(job: Job, changes: Mapping[str, Any] | None = None) -> dict[str, str]:
    """What the form of a training would send."""
    params = job.params
    chosen = {"training_set": params["training_set_id"], "base_model": params["base_model_id"], "name": params["name"]}
    chosen[ENGINES_REST] = params.get(ENGINES_REST)
    chosen["gpu"] = job.wanted_slot.removeprefix("gpu") if job.wanted_slot else None
    settings = {**chosen, **params["options"], **(changes or {})}
    return {
        name: "true" if value is True else str(value)
        for name, value in settings.items()
        if value is not None and value is not False
    }


def engine_words(engine: Mapping[str, Any]) -> str:
    """What the engine said to the adapter of the rehearsal."""
    if not engine.get("is_tried"):
        return "No engine with this base model was at hand, so it was not tried whether one loads the adapter."
    if not engine["is_accepted"]:
        return f"The engine does not load such an adapter: {engine['because']}"
    return f"The engine loaded the adapter in {engine['load_s']:.2f} s, and gave it back."


def _facts(found: Forecast, memory_bytes: int) -> tuple[Fact, ...]:
    usual = f"{found.num_steps:,} steps of {formats.duration(found.step_s)}, {found.tokens_per_s:,.0f} tokens/s"
    return (
        ("Time", formats.about(found.duration_s), usual),
        ("Memory, at most", formats.size(found.peak_memory_mb * 1e6), f"of {formats.size(memory_bytes)}"),
        ("Disk", formats.size(found.disk_mb * 1e6), "checkpoints that are kept, and the adapter"),
        ("Measured in", formats.counted(found.num_rehearsed, "real step"), ""),
    )
