"""What a person chose for a training, checked by the backend's own model of options. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from goldsmith.train.backends.base import Backend, Options
from goldsmith.train.errors import BackendUnknown, OptionsInvalid

SYNONYMS = {"huggingface": "trl"}
"""Names under which callers know a backend."""


@dataclass(frozen=True)
class TrainRequest:
    """What is asked for; names are ids, unique names, or a base model's hub id."""

    base_model: str
    backend: str = "trl"
    training_set: str | None = None
    """None: the newest training set of the caller's organisation."""
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def backend_of(name: str, backends: Mapping[str, Backend]) -> Backend:
    """The backend of that name. Raises BackendUnknown."""
    found = backends.get(SYNONYMS.get(name, name))
    if found is None:
        raise BackendUnknown(f"There is no backend {name!r}. There are: {', '.join(sorted(backends))}.")
    return found


def read_options(backend: Backend, given: Mapping[str, Any]) -> Options:
    """The backend's options, with defaults for what was not given. Raises OptionsInvalid naming every bad one."""
    try:
        return backend.options.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise OptionsInvalid(f"Backend {backend.name}: " + "; ".join(faults)) from error
