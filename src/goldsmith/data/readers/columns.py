"""Column names: stripped, unique, never empty. Every reader passes its header through here."""

from collections.abc import Sequence

from goldsmith.data.readers import values
from goldsmith.data.readers.errors import BadHeader, DuplicateColumns, TooManyColumns
from goldsmith.data.readers.types import MAX_COLUMNS

MAX_NAME_CHARS = 200


def clean(raw: Sequence[str]) -> tuple[str, ...]:
    """The names to use, in order; a column without a name is called after its place: `column_3`."""
    if len(raw) > MAX_COLUMNS:
        raise TooManyColumns(f"The file has {len(raw):,} columns; at most {MAX_COLUMNS:,} can be read.")
    stripped = [name.strip() for name in raw]
    _refuse_unusable(stripped)
    _refuse_twice(raw, stripped)
    taken = {name for name in stripped if name}
    return tuple(name or _free_name(place, taken) for place, name in enumerate(stripped, start=1))


def numbered(count: int) -> tuple[str, ...]:
    """Names for a file without a header."""
    return clean([""] * count)


def _refuse_unusable(names: Sequence[str]) -> None:
    for place, name in enumerate(names, start=1):
        trouble = values.trouble(name)
        if trouble:
            raise BadHeader(f"The name of column {place} holds {trouble}.")
        if len(name) > MAX_NAME_CHARS:
            raise BadHeader(
                f"The name of column {place} has {len(name):,} characters, at most {MAX_NAME_CHARS} are allowed; "
                f"it begins with “{name[:40]}”.",
                hint="Perhaps the file has no header line: say so when you import it.",
            )


def _refuse_twice(raw: Sequence[str], names: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if name and name in seen:
            first = seen[name]
            raise DuplicateColumns(
                f"Column {first + 1} “{raw[first]}” and column {place + 1} “{raw[place]}” have the same name."
            )
        seen[name] = place


def _free_name(place: int, taken: set[str]) -> str:
    name = f"column_{place}"
    while name in taken:
        name += "_"
    taken.add(name)
    return name
