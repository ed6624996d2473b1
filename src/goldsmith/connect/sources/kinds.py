"""Every kind of source: ours, and those that other packages bring along under the entry point `goldsmith.sources`."""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from goldsmith import plugins
from goldsmith.connect.sources.buckets import Buckets
from goldsmith.connect.sources.errors import SourceKindUnknown
from goldsmith.connect.sources.folder import Folder
from goldsmith.connect.sources.label_studio import LabelStudioKind
from goldsmith.connect.sources.sql import Sql
from goldsmith.connect.sources.types import SourceKind, SourceOptions
from goldsmith.plugins import Found

OURS: tuple[SourceKind, ...] = (Sql(), Folder(), Buckets(), LabelStudioKind())


@cache
def installed() -> Found[SourceKind]:
    """Ours, and what is installed beside us; looked for once."""
    return found(entry_points(group=plugins.SOURCES))


def found(points: Iterable[EntryPoint]) -> Found[SourceKind]:
    """Ours, and those behind the entry points."""
    ours = {kind.name: kind for kind in OURS}
    return plugins.load(points, ours=ours, name_of=lambda kind: kind.name, check=_check)


def one(name: str) -> SourceKind:
    """A kind by its name. Raises SourceKindUnknown."""
    kinds = installed().by_name
    if name not in kinds:
        raise SourceKindUnknown(f"There is no kind of source called {name[:40]!r}. There are: {', '.join(kinds)}.")
    return kinds[name]


def _check(kind: SourceKind) -> None:
    if not (isinstance(kind.Options, type) and issubclass(kind.Options, SourceOptions)):
        raise TypeError("its Options are not made from goldsmith.connect.sources.types.SourceOptions")
    if not all(isinstance(text, str) for text in (kind.title, kind.about)) or not callable(kind.open):
        raise TypeError("it lacks title, about or open")
