"""The work of bringing stars in, and the keeper that begins it when its time has come.

What was fetched comes in within one transaction: a worker that is killed has brought nothing, and is started again. The
same stars bring nothing new.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.connect import service
from goldsmith.connect.bringing.service import KIND, bring, due
from goldsmith.connect.errors import SourceNotConnected
from goldsmith.connect.tables import SourceScope
from goldsmith.connect.times import TimesKeeper, owner
from goldsmith.connect.types import Scope, Source, Wish
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.types import Stage
from goldsmith.people.types import Person
from goldsmith.stars.jobs import author_of


class BringKind(LightKind):
    """Brings one scope's stars in."""

    name: ClassVar[str] = KIND
    stages: ClassVar[tuple[Stage, ...]] = (Stage("bring"),)

    def __init__(self, make: Callable[[], Source | None]) -> None:
        self._make = make

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Raises what the source raises, and SystemMessageNotChosen."""
        del stage
        source = self._make()
        if source is None:
            raise SourceNotConnected("The settings do not say any more where these stars are.")
        with context.database.reading() as session:
            scope = session.get_one(SourceScope, context.job.subject_id)
            wish = Wish(Scope(scope.philosopher, scope.source_domain))
            by = author_of(session, context)
        context.report(None, f"asking {source.title}")
        fetched = source.fetch(wish)
        context.report(0.5, f"{len(fetched.items):,} gold stars come in")
        if context.should_stop():
            return {}
        with context.transaction() as session:
            taken = service.take_in(session, context.home, source, wish, fetched, by=by)
        left_out = sum(fetched.counts.values())
        return {"num_stars": len(fetched.items), "num_left_out": left_out, "num_own": taken.num_own}


class BringKeeper(TimesKeeper[str]):
    """Begins to bring the stars whose time has come."""

    name: ClassVar[str] = "stars_by_themselves"

    def due(self, session: Session, now: datetime) -> Sequence[tuple[str, Person]]:
        """Scopes whose time has come and whose stars are not being brought."""
        return [(each.id, owner(each)) for each in due(session, now)]

    def begin(self, session: Session, what: str, *, by: Person) -> object:
        """Queue the bringing of its stars."""
        return bring(session, what, by=by)
