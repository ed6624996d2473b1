"""The form that starts a training: what is learned and by which model, and the backend's own options, folded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import Field
from sqlalchemy import orm

from goldsmith.models import queries as models
from goldsmith.serve import elsewhere
from goldsmith.serve.errors import ProviderGone, ProviderNotFound
from goldsmith.serve.tables import Engine
from goldsmith.stars import queries as stars
from goldsmith.stars.tables import TrainingSet
from goldsmith.train.backends.base import Backend
from goldsmith.train.recipe import EnginesRest, TrainRequest, backend_of
from goldsmith.web.dependencies import TheBackends
from goldsmith.web.errors import FormNotUsable
from goldsmith.web.format import counted, moment, size
from goldsmith.web.forms import MAX_TEXT_BYTES, FormField, FormModel, Option, fields_of, fill
from goldsmith.web.train.views import DEFAULT_BACKEND

MAX_SETS = 50
AT_PROVIDER = "The rows are sent there. What is learned stays there too, and is asked there."
FOLDED = ("gpu", "engines_rest")
"""What only experts choose, though every backend has it."""
ALWAYS_SHOWN = ("num_epochs",)
"""Options of a backend that stand beside the choice of rows and model; the others are folded."""


class StartForm(FormModel):
    """What a person chooses."""

    training_set: str = Field(title="What it learns", json_schema_extra={"kind": "choices"})
    base_model: str = Field(title="Which model learns")
    """It stays as it is: what is learned becomes a small file of its own beside it."""
    name: str | None = Field(None, max_length=255, title="Name of the new model")
    """Callers can use this name. Left empty, it is called after what it learned."""
    gpu: int | None = Field(None, ge=0, title="GPU")
    """It takes one GPU for itself, and waits until that one is free."""
    engines_rest: EnginesRest = Field(EnginesRest.auto, title="Engines rest while it trains")
    """An engine at rest has given its memory away and answers nobody. It starts again by itself after the training."""


@dataclass(frozen=True)
class Start:
    """The form as it was sent: a request when all of it can be used, and its fields as they were typed."""

    request: TrainRequest | None
    fields: tuple[FormField, ...]

    @property
    def usable(self) -> TrainRequest:
        """The request. Raises FormNotUsable, which names every field that is wrong."""
        if self.request is None:
            wrong = "; ".join(f"{field.label}: {field.error}" for field in self.fields if field.error)
            raise FormNotUsable(wrong or "The form has values that no field is for.")
        return self.request

    @property
    def folded(self) -> tuple[str, ...]:
        """Names of the fields that only experts need."""
        return folded(self.fields)


def start_fields(backend: Backend, values: Mapping[str, Any]) -> tuple[FormField, ...]:
    """The fields of a form that nobody has sent yet; `values` come from the address."""
    options = {name: value for name, value in values.items() if name in backend.options.model_fields}
    own = {name: value for name, value in values.items() if name in StartForm.model_fields}
    return (*fields_of(StartForm, own), *fields_of(backend.options, options))


def folded(fields: Sequence[FormField]) -> tuple[str, ...]:
    """Names of the fields that only experts need."""
    shown = {*StartForm.model_fields, *ALWAYS_SHOWN} - {*FOLDED}
    return tuple(field.name for field in fields if field.name not in shown)


def is_beside(name: str) -> bool:
    """Whether a name of the form is for what stands beside one training: its backend, or settings of several."""
    return name == "backend" or name.startswith(("vary_", "values_"))


async def read_start(request: Request, backends: TheBackends, backend: str = DEFAULT_BACKEND) -> Start:
    """The sent form; the backend stands in the address."""
    found = backend_of(backend, backends)
    async with request.form(max_part_size=MAX_TEXT_BYTES) as form:
        posted = {name: value for name, value in form.items() if isinstance(value, str) and not is_beside(name)}
    own = fill(StartForm, {name: text for name, text in posted.items() if name in StartForm.model_fields})
    options = fill(found.options, {name: text for name, text in posted.items() if name not in StartForm.model_fields})
    fields = (*own.fields, *options.fields)
    if own.value is None or options.value is None:
        return Start(None, fields)
    form_value = own.value
    chosen = options.value.model_dump()
    what = (form_value.base_model, found.name, form_value.training_set, form_value.name)
    request_ = TrainRequest(*what, options=chosen, gpu=form_value.gpu, engines_rest=form_value.engines_rest)
    return Start(request_, fields)


TheStart = Annotated[Start, Depends(read_start)]
"""The form that starts a training, as it was sent."""


def choices(session: orm.Session, *, domain: str, at_provider: bool = False) -> dict[str, tuple[Option, ...]]:
    """What there is to choose from: training sets, and base models or providers' models, newest first."""
    sets = stars.training_sets(session, domain=domain, limit=MAX_SETS)
    here = () if at_provider else models.bases(session, domain=domain)
    there = elsewhere.providers(session, domain=domain) if at_provider else ()
    return {
        "training_set": tuple(Option(each.id, each.name, _about(each), each.num_learn > 0) for each in sets),
        "base_model": (
            *(Option(each.id, each.name, size(each.size_bytes)) for each in here),
            *(Option(each.id, f"{each.provider_model} at {each.url}") for each in there),
        ),
    }


def with_gpus(fields: Sequence[FormField], gpus: Sequence[str]) -> tuple[FormField, ...]:
    """The fields with the choice of a GPU where there are several, else without."""
    each = (Option(str(number), f"GPU {number}: {name}") for number, name in enumerate(gpus))
    options = (Option("", "Whichever is free first"), *each)
    shown = [field for field in fields if field.name != "gpu" or len(gpus) > 1]
    return tuple(replace(field, kind="select", options=options) if field.name == "gpu" else field for field in shown)


def with_rest(fields: Sequence[FormField], *, has_gpus: bool, at_provider: bool = False) -> tuple[FormField, ...]:
    """The fields with what the choice of engines that rest means on this machine; without it for a provider's."""
    meant = "Those on the GPU that it gets" if has_gpus else "None, because there is memory for both"
    options = (Option("auto", meant), Option("always", "Every one of this machine"), Option("never", "None"))
    shown = [each for each in fields if each.name != "engines_rest" or not at_provider]
    return tuple(replace(each, options=options) if each.name == "engines_rest" else each for each in shown)


def provider_of(session: orm.Session, name: str, *, domain: str) -> Engine | None:
    """The provider that a form means, also by the base model of an earlier training there; None for none."""
    try:
        return elsewhere.provider(session, name, domain=domain) if name else None
    except (ProviderNotFound, ProviderGone):
        return None


def with_choices(
    fields: Sequence[FormField], options: Mapping[str, tuple[Option, ...]], *, at_provider: bool = False
) -> tuple[FormField, ...]:
    """The fields with what there is to choose; where nothing is chosen yet, the first that can be."""
    made = []
    for field in fields:
        if field.name not in options:
            made.append(field)
            continue
        possible = [option.value for option in options[field.name] if option.is_possible]
        value = field.value if field.value in possible else next(iter(possible), "")
        kind = "choices" if field.name == "training_set" else "select"
        shown = _of_provider(field) if at_provider and field.name == "base_model" else field
        made.append(_chosen(shown, kind, options[field.name], value))
    return tuple(made)


def _chosen(field: FormField, kind: Any, options: tuple[Option, ...], value: str) -> FormField:
    return FormField(field.name, field.label, kind, field.help, value, field.error, options=options)


def _of_provider(field: FormField) -> FormField:
    return replace(field, label="Which provider's model learns", help=AT_PROVIDER)


def _about(found: TrainingSet) -> str:
    exam = f"{counted(found.num_exam, 'row')} kept back as exam" if found.num_exam else "no exam rows"
    return f"{counted(found.num_learn, 'row')} to learn, {exam}; exported {moment(found.created_at)}"
