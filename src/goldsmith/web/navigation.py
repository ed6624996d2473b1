"""The menu as data: what stands in it, with which icon and keys. Entries whose page does not exist are left out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A line of the menu; `key` follows `g` on the keyboard."""

    name: str
    label: str
    path: str
    icon: str
    key: str | None


@dataclass(frozen=True)
class Group:
    """Entries under a heading; the first group has none."""

    label: str | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Line:
    """An entry as it is shown now."""

    entry: Entry
    is_current: bool
    count: str


@dataclass(frozen=True)
class MenuGroup:
    """A group as it is shown now."""

    label: str | None
    lines: tuple[Line, ...]


MENU: tuple[Group, ...] = (
    Group(
        None,
        (
            Entry("home", "Home", "/", "home", "h"),
            Entry("guide", "Guided way", "/fine-tuning", "path", "f"),
        ),
    ),
    Group(
        "The loop",
        (
            Entry("data", "Data", "/data", "rows", "d"),
            Entry("runs", "Runs", "/runs", "play", "r"),
            Entry("batches", "Batches", "/batches", "stack", "b"),
            Entry("stars", "Gold stars", "/stars", "star", "s"),
            Entry("training", "Training", "/training", "curve", "t"),
            Entry("models", "Models", "/models", "box", "m"),
            Entry("playground", "Playground", "/playground", "spark", "p"),
            Entry("comparison", "Comparison", "/model-comparison", "compare", "c"),
        ),
    ),
    Group(
        "This machine",
        (
            Entry("activity", "Activity", "/activity", "pulse", "a"),
            Entry("kept", "Kept requests", "/kept", "ear", "k"),
            Entry("settings", "Settings", "/settings", "gear", None),
        ),
    ),
)


def menu(paths: Collection[str], current: str, counts: Mapping[str, str]) -> tuple[MenuGroup, ...]:
    """The menu for a page: entries that have a page, the current one marked, counts at their right."""
    groups = []
    for group in MENU:
        lines = tuple(
            Line(entry, entry.name == current, counts.get(entry.name, ""))
            for entry in group.entries
            if entry.path in paths
        )
        if lines:
            groups.append(MenuGroup(group.label, lines))
    return tuple(groups)
