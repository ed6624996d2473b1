"""Aristotle, the application in which people star conquests: its database as a source of gold stars."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection

from goldsmith.connect.aristotle import gold, marking, storing
from goldsmith.connect.aristotle.connection import Place, layout_of, reading, writing
from goldsmith.connect.aristotle.subjects import CANDIDATE, EIDOS, Origin, check_ids
from goldsmith.connect.conquests import Conquest, LookedUp, Subjects, Wanted
from goldsmith.connect.errors import SubjectNotFound
from goldsmith.connect.types import Fetched, Said, Scope, Wish, WriteState
from goldsmith.settings import AristotleSettings

AT_ONCE = 500
"""Candidates whose rows are in memory together."""
MAX_NAMED = 20


class Aristotle:
    """Aristotle's database: read, and written by `put` and `store` alone. Its schema is looked at on every visit."""

    name = "aristotle"
    title = "Aristotle"

    def __init__(
        self,
        place: Place,
        *,
        is_written_back: bool = False,
        eidos_from: str | None = None,
        candidate_from: str | None = None,
    ) -> None:
        self.place = place
        self.eidos_from = eidos_from
        """Where eidos live, where that was said: a table or a query."""
        self.candidate_from = candidate_from
        self.is_written_back = is_written_back
        """Whether stars that are given or taken here go there by themselves."""

    @classmethod
    def of(cls, settings: AristotleSettings) -> "Aristotle | None":
        """Where the settings say it is; None when they say nothing. Raises SourceNotConnected."""
        place = Place.of_settings(settings)
        if place is None:
            return None
        said = {"eidos_from": settings.eidos_from, "candidate_from": settings.candidate_from}
        return cls(place, is_written_back=settings.write_back, **said)

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
    def at(cls, url: str, *, eidos_from: str | None = None, candidate_from: str | None = None) -> "Aristotle":
        """From a URL. Raises SourceNotConnected."""
        return cls(Place.of(url), eidos_from=eidos_from, candidate_from=candidate_from)

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

    def look_up(self, wanted: Wanted) -> LookedUp:
        """Whether all of it is there and conquests can be written. Raises SubjectNotFound, WhoseNotSaid, RoleMayNot."""
        check_ids([wanted.eidos_id, *wanted.candidate_ids])
        with reading(self.place) as connection:
            layout = layout_of(connection)
            eidos_of, candidates_of = self._origins(connection)
            scope = wanted.scope or eidos_of.owner(
                wanted.eidos_id, philosopher=wanted.philosopher, domain=wanted.domain
            )
            if scope is None:
                raise SubjectNotFound(f"There is no eidos {wanted.eidos_id}.")
            gold.check_wish(Wish(scope))
            eidos = eidos_of.fetch(scope, [wanted.eidos_id]).get(wanted.eidos_id)
            first, missing = None, []
            for start in range(0, len(wanted.candidate_ids), AT_ONCE):
                some = wanted.candidate_ids[start : start + AT_ONCE]
                found = candidates_of.fetch(scope, some)
                missing += [each for each in some if each not in found]
                first = first or found.get(wanted.candidate_ids[0])
            if eidos is None or first is None or missing:
                raise SubjectNotFound(_missing(scope, wanted.eidos_id if eidos is None else None, missing))
            return LookedUp(scope, eidos, first, storing.plan(connection, layout, is_tuned=wanted.is_tuned))

    def subjects(self, scope: Scope, eidos_id: str, candidate_ids: Collection[str]) -> Subjects:
        """Those of them that are the scope's."""
        with reading(self.place) as connection:
            eidos_of, candidates_of = self._origins(connection)
            return Subjects(eidos_of.fetch(scope, [eidos_id]).get(eidos_id), candidates_of.fetch(scope, candidate_ids))

    def store(self, conquest: Conquest) -> str:
        """Write a conquest with its prompt and its answer in one transaction, once; returns its id."""
        with writing(self.place) as connection:
            return storing.store(connection, layout_of(connection), conquest)

    def _origins(self, connection: Connection) -> tuple[Origin, Origin]:
        return Origin(EIDOS, connection, self.eidos_from), Origin(CANDIDATE, connection, self.candidate_from)


def _missing(scope: Scope, eidos_id: str | None, candidate_ids: list[str]) -> str:
    named = ", ".join(candidate_ids[:MAX_NAMED])
    more = f" and {len(candidate_ids) - MAX_NAMED:,} more" if len(candidate_ids) > MAX_NAMED else ""
    parts = [f"no eidos {eidos_id}"] if eidos_id is not None else []
    parts += [f"no candidate {named}{more}"] if candidate_ids else []
    return f"There is {' and '.join(parts)} of {scope.philosopher} at {scope.domain}."
