"""Aristotle, the application in which people star conquests: its database as a source of gold stars."""

from collections.abc import Mapping
from typing import Any

from goldsmith.connect.aristotle import gold, marking
from goldsmith.connect.aristotle.connection import Place, layout_of, reading, writing
from goldsmith.connect.types import Fetched, Said, Scope, Wish, WriteState
from goldsmith.settings import AristotleSettings


class Aristotle:
    """Aristotle's database: read, and written by `put` alone. Its schema is looked at anew on every visit."""

    name = "aristotle"
    title = "Aristotle"

    def __init__(self, place: Place, *, is_written_back: bool = False) -> None:
        self.place = place
        self.is_written_back = is_written_back
        """Whether stars that are given or taken here go there by themselves."""

    @classmethod
    def of(cls, settings: AristotleSettings) -> "Aristotle | None":
        """Where the settings say it is; None when they say nothing. Raises SourceNotConnected."""
        place = Place.of_settings(settings)
        return cls(place, is_written_back=settings.write_back) if place is not None else None

    def fetch(self, wish: Wish) -> Fetched:
        """The gold conquests. Raises WishNotPossible, SchemaNotKnown, SourceNotAnswering, RoleMayNot."""
        gold.check_wish(wish)
        with reading(self.place) as connection:
            return gold.fetch(connection, layout_of(connection), wish)

    def why_none(self, wish: Wish, fetched: Fetched) -> str:
        """The nearest reason why nothing came."""
        with reading(self.place) as connection:
            return gold.why_none(connection, layout_of(connection), wish, fetched)

    @classmethod
    def at(cls, url: str) -> "Aristotle":
        """From a URL. Raises SourceNotConnected."""
        return cls(Place.of(url))

    def plans(self, wish: Wish) -> list[str]:
        """How PostgreSQL would find the gold conquests: the plan of every query that `fetch` asks."""
        with reading(self.place) as connection:
            return gold.plans(connection, layout_of(connection), wish)

    def standing(self, scope: Scope, external_id: str) -> dict[str, Any] | None:
        """How a conquest stands there now; None when it is gone."""
        with reading(self.place) as connection:
            return marking.standing(connection, layout_of(connection), scope, external_id)

    def wanted(self, before: Mapping[str, Any], said: Said, earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        """How it should stand after what was said."""
        return marking.wanted(before, said, earlier)

    def put(self, scope: Scope, external_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> WriteState:
        """Change rating and conquest in one transaction, unless somebody else has changed them."""
        with writing(self.place) as connection:
            return marking.put(connection, layout_of(connection), scope, external_id, (before, after))
