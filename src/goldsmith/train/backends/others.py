"""Training backends that other packages bring along under the entry point `goldsmith.backends`."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint

from goldsmith import plugins
from goldsmith.plugins import Found
from goldsmith.train.backends.base import Backend, Options


def found(points: Iterable[EntryPoint], *, ours: Mapping[str, Backend]) -> Found[Backend]:
    """Ours, and those behind the entry points."""
    return plugins.load(points, ours=ours, name_of=lambda backend: backend.name, check=_check)


def _check(backend: Backend) -> None:
    if not (isinstance(backend.options, type) and issubclass(backend.options, Options)):
        raise TypeError("its options are not made from goldsmith.train.backends.base.Options")
    without = [name for name, field in backend.options.model_fields.items() if field.is_required()]
    if without:
        raise TypeError(f"its options lack a default: {', '.join(without)}")
    if not callable(backend.check) or not callable(backend.plan):
        raise TypeError("it lacks check or plan")
    for name, field in backend.options.model_fields.items():
        if not (field.title and field.description):
            raise TypeError(f"its option {name} needs a title, and a help text below it")
