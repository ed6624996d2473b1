"""Every kind of source: ours, and those that other packages bring along under the entry point `goldsmith.sources`.

A plugin that cannot be loaded is left out and named; it never keeps anything else from working.
"""

import logging
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from goldsmith.connect.sources.buckets import Buckets
from goldsmith.connect.sources.errors import SourceKindUnknown
from goldsmith.connect.sources.folder import Folder
from goldsmith.connect.sources.sql import Sql
from goldsmith.connect.sources.types import SourceKind, SourceOptions

ENTRY_POINT = "goldsmith.sources"
OURS: tuple[SourceKind, ...] = (Sql(), Folder(), Buckets())
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that was left out."""

    name: str
    package: str
    reason: str


@dataclass(frozen=True)
class Kinds:
    """What there is."""

    by_name: Mapping[str, SourceKind]
    broken: tuple[BrokenPlugin, ...] = ()


@cache
def installed() -> Kinds:
    """Ours, and what is installed beside us; looked for once."""
    return found(entry_points(group=ENTRY_POINT))


def found(points: Iterable[EntryPoint]) -> Kinds:
    """Ours, and those behind the entry points."""
    by_name = {kind.name: kind for kind in OURS}
    broken = []
    for point in sorted(points, key=lambda each: each.name):
        try:
            kind = _loaded(point, taken=by_name)
        except Exception as error:  # noqa: BLE001 - whatever somebody else's code does, we go on and say it
            package = point.dist.name if point.dist is not None else point.value
            log.warning("The plugin %s of %s is left out: %s", point.name, package, error)
            broken.append(BrokenPlugin(point.name, package, f"{type(error).__name__}: {error}"[:500]))
        else:
            by_name[kind.name] = kind
    return Kinds(by_name, tuple(broken))


def one(name: str) -> SourceKind:
    """A kind by its name. Raises SourceKindUnknown."""
    kinds = installed().by_name
    if name not in kinds:
        raise SourceKindUnknown(f"There is no kind of source called {name[:40]!r}. There are: {', '.join(kinds)}.")
    return kinds[name]


def _loaded(point: EntryPoint, *, taken: Collection[str]) -> SourceKind:
    made = point.load()
    kind: SourceKind = made() if isinstance(made, type) else made
    if not isinstance(kind.name, str) or not _NAME.fullmatch(kind.name):
        raise ValueError(f"{kind.name!r} is no name of a kind: small letters, digits, - and _")
    if kind.name in taken:
        raise ValueError(f"there is a kind of source called {kind.name} already")
    if not (isinstance(kind.Options, type) and issubclass(kind.Options, SourceOptions)):
        raise TypeError("its Options are not made from goldsmith.connect.sources.types.SourceOptions")
    if not all(isinstance(text, str) for text in (kind.title, kind.about)) or not callable(kind.open):
        raise TypeError("it lacks title, about or open")
    return kind
