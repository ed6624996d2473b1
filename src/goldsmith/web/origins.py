"""Where rows came from, as pages link to it: the source that brought a row, with that row in the middle.

Used by every step that shows rows of a dataset.
"""

from collections.abc import Sequence

from sqlalchemy import orm

from goldsmith.connect.syncing import queries


def addresses_of(session: orm.Session, row_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Of rows that a source brought: the page that says where from, and the source's name."""
    found = queries.origins(session, row_ids)
    return {row_id: (f"/sources/{source.id}?row={row_id}", source.name) for row_id, (_, source) in found.items()}
