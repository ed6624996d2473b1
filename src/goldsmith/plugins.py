"""What other packages bring along under an entry point of ours: sources, measures, training backends.

A plugin is code of somebody whom the owner of this machine trusts: it runs with Goldsmith's own rights. One that cannot
be loaded is left out and named; it never keeps anything else from working.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
SOURCES: Final = "goldsmith.sources"
MEASURES: Final = "goldsmith.measures"
BACKENDS: Final = "goldsmith.backends"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that was left out."""

    name: str
    package: str
    reason: str


@dataclass(frozen=True)
class Found(Generic[T]):
    """What there is under one entry point: ours first, then what plugins bring, by their names."""

    by_name: Mapping[str, T]
    broken: tuple[BrokenPlugin, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    """Name of what a plugin brought → the package that did, with its version."""


def load(
    points: Iterable[EntryPoint], *, ours: Mapping[str, T], name_of: Callable[[T], str], check: Callable[[T], None]
) -> Found[T]:
    """Ours and what stands behind the entry points; a class is called without arguments.

    `check` raises what is wrong with a thing that was loaded, in words for whoever wrote it.
    """
    by_name, broken, packages = dict(ours), [], {}
    for point in sorted(points, key=lambda each: each.name):
        package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
        try:
            made: Any = point.load()
            one: T = made() if isinstance(made, type) else made
            name = _usable(name_of(one), by_name)
            check(one)
        except Exception as error:  # noqa: BLE001 - whatever somebody else's code does, we go on and say it
            log.warning("The plugin %s of %s is left out: %s", point.name, package, error)
            broken.append(BrokenPlugin(point.name, package, f"{type(error).__name__}: {error}"[:500]))
        else:
            by_name[name], packages[name] = one, package
    return Found(by_name, tuple(broken), packages)


def _usable(name: object, taken: Mapping[str, object]) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name: it takes small letters, digits, - and _, at most 32")
    if name in taken:
        raise ValueError(f"there is one called {name} already")
    return name
