"""What a person chose for a training, checked by the backend's own model of options. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from goldsmith.data.types import Upload
from goldsmith.environments.machine import MachineFacts
from goldsmith.train.backends.base import Backend, Options
from goldsmith.train.dial import Dial
from goldsmith.train.errors import BackendUnknown, OptionsInvalid

SYNONYMS = {"huggingface": "trl"}
"""Names under which callers know a backend."""


class EnginesRest(StrEnum):
    """Whether engines of ours stop while a training is at work, and start again after it."""

    auto = "auto"
    """Those on the GPU that it gets; on a machine without one none, because there both find memory."""
    always = "always"
    never = "never"


@dataclass(frozen=True)
class TrainRequest:
    """What is asked for; names are ids, unique names, or a base model's hub id; where a provider trains, a provider."""

    base_model: str
    backend: str = "trl"
    training_set: str | None = None
    """None: the newest training set of the caller's organisation."""
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    dial: Dial | None = None
    """How thoroughly; `options` go before what it resolves to."""
    files: "ChatFiles | None" = None
    """Uploaded conversations instead of a training set."""
    is_deployed: bool = False
    """Have the model live as soon as it is trained, unless another base model's engine would be stopped for it."""
    gpu: int | None = None
    """The number of the GPU that it must have; None: whichever is free first."""
    engines_rest: EnginesRest = EnginesRest.auto
    """Whether engines give their memory to it while it trains."""
    share: float = 1.0
    """The share of the rows that is learned from (`shares.py`); the exam is always whole."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the caller wrote beside it, given back as it is."""


@dataclass(frozen=True)
class ChatFile:
    """An uploaded file of conversations, and the id under which its caller knows it."""

    id: str
    upload: Upload


@dataclass(frozen=True)
class ChatFiles:
    """What is learned from; `exam` is held back. Without it a share of `learn` is."""

    learn: ChatFile
    exam: ChatFile | None = None


def backend_of(name: str, backends: Mapping[str, Backend]) -> Backend:
    """The backend of that name. Raises BackendUnknown."""
    found = backends.get(SYNONYMS.get(name, name))
    if found is None:
        raise BackendUnknown(f"There is no backend {name!r}. There are: {', '.join(sorted(backends))}.")
    return found


def is_at_provider(backend: Backend, machine: MachineFacts) -> bool:
    """Whether a provider trains, so that rows leave this machine."""
    return backend.plan(backend.options(), machine).at_provider


def for_backend(backend: Backend, resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a dial's numbers that this backend knows."""
    return {name: value for name, value in resolved.items() if name in backend.options.model_fields}


def read_options(backend: Backend, given: Mapping[str, Any]) -> Options:
    """The backend's options, with defaults for what was not given. Raises OptionsInvalid naming every bad one."""
    values = {name: _chosen(backend, name, value) for name, value in given.items() if value is not None}
    try:
        return backend.options.model_validate(values)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise OptionsInvalid(f"Backend {backend.name}: " + "; ".join(faults)) from error


def _chosen(backend: Backend, name: str, value: Any) -> Any:
    """A choice among numbers may come as text, as on a command line."""
    field = backend.options.model_fields.get(name)
    if field is None or not isinstance(value, str) or get_origin(field.annotation) is not Literal:
        return value
    return {str(choice): choice for choice in get_args(field.annotation)}.get(value.strip(), value)
