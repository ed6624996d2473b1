"""The work of an offer, and the keeper that begins those that a source wants by themselves.

The source is asked a hundred answers at a time; how far it came is kept after each, and whatever was shown already is
found there, so a worker that was killed shows nothing twice. A source that keeps files gets all of them as one file.
Answers that came from a source are never offered: only those that a model wrote.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from goldsmith.connect.offering import queries
from goldsmith.connect.offering.errors import NotOfferable
from goldsmith.connect.offering.service import offer, takes_answers
from goldsmith.connect.offering.tables import SourceOffer
from goldsmith.connect.offering.types import OFFER_JOB
from goldsmith.connect.sources.types import AnswerKeeper, NotTaken, Offered, RowAnswer, Surroundings, TwoWaySource
from goldsmith.connect.syncing import queries as connections
from goldsmith.connect.syncing import service as syncing
from goldsmith.connect.syncing.errors import ConnectionNotFound
from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.connect.times import TimesKeeper, owner
from goldsmith.jobs.kinds import LightKind, WorkContext
from goldsmith.jobs.types import Stage
from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import CUT_OFF, AnswerState
from goldsmith.stars import queries as stars
from goldsmith.stars.tables import Mark

AT_ONCE = 100
MAX_LISTED = 200
ENDED_WITHIN = timedelta(days=1)
"""Of runs that ended earlier, nothing goes anywhere by itself when somebody switches it on."""


class _Stopped(Exception):
    """Somebody wants the work to stop, in the midst of a file."""


class OfferKind(LightKind):
    """Shows a run's answers in a source."""

    name: ClassVar[str] = OFFER_JOB
    stages: ClassVar[tuple[Stage, ...]] = (Stage("offer"),)

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def work(self, stage: str, context: WorkContext) -> Mapping[str, Any]:
        """Raises ConnectionNotFound, NotOfferable, and what the source raises."""
        del stage
        with context.database.reading() as session:
            made = queries.offer_of(session, context.job.id)
            connection = session.get_one(SourceConnection, made.connection_id)
            run = session.get_one(Run, made.run_id)
        if connection.removed_at is not None:
            raise ConnectionNotFound(f"{connection.name} was removed.")
        source = syncing.opened(context.home, connection).source(self._surroundings)
        if isinstance(source, AnswerKeeper):
            return self._keep(context, source, run, made)
        if not isinstance(source, TwoWaySource):
            raise NotOfferable(f"{connection.name} takes no answers: it is only read.")
        return self._offer(context, source, run, made)

    def _keep(self, context: WorkContext, source: AnswerKeeper, run: Run, made: SourceOffer) -> Mapping[str, Any]:
        """All of them as one file; whoever was killed begins it again, and what is kept already is kept as it is."""
        left_out: list[NotTaken] = []

        def answers() -> Iterator[RowAnswer]:
            position = 0
            while True:
                if context.should_stop():
                    raise _Stopped
                with context.database.reading() as session:
                    some = queries.answers_after(session, run.id, position, limit=AT_ONCE)
                    wanted, not_wanted = _wanted(session, made.connection_id, some)
                if not some:
                    return
                left_out.extend(not_wanted)
                yield from wanted
                position = some[-1].position
                context.report(position / max(1, run.num_rows), f"{position:,} answers written")

        if made.position == 0:
            try:
                offered = source.keep(run.id, answers())
            except _Stopped:
                return {}
            with context.transaction() as session:
                _note(session.get_one(SourceOffer, made.id), offered, left_out, max(1, run.num_rows))
        return self._counts(context, made.id)

    def _offer(self, context: WorkContext, source: TwoWaySource, run: Run, made: SourceOffer) -> Mapping[str, Any]:
        name, position = f"{run.name} ({run.id})", made.position
        while not context.should_stop():
            with context.database.reading() as session:
                answers = queries.answers_after(session, run.id, position, limit=AT_ONCE)
                wanted, left_out = _wanted(session, made.connection_id, answers)
            if not answers:
                return self._counts(context, made.id)
            offered = source.offer(name, wanted)
            position = answers[-1].position
            with context.transaction() as session:
                _note(session.get_one(SourceOffer, made.id), offered, left_out, position)
            context.report(position / max(1, run.num_rows), f"{position:,} answers offered")
        return {}

    def _counts(self, context: WorkContext, offer_id: str) -> Mapping[str, Any]:
        with context.database.reading() as session:
            found = session.get_one(SourceOffer, offer_id)
            return {name: getattr(found, name) for name in ("num_new", "num_same", "num_not_taken")}


def _wanted(session: Session, connection_id: str, answers: Sequence[Answer]) -> tuple[list[RowAnswer], list[NotTaken]]:
    """What shall stand there for each row: the answer, or what a person put in its place; nothing for a bad one."""
    origins = connections.origins(session, [answer.row_id for answer in answers])
    marks = stars.state_of(session, [answer.id for answer in answers])
    wanted, left_out = [], []
    for answer in answers:
        origin, connection = origins.get(answer.row_id, (None, None))
        if origin is None or connection is None or connection.id != connection_id:
            left_out.append(NotTaken(f"row {answer.position}", "it did not come from there"))
            continue
        mark = marks.get(answer.id)
        text, reason = _text(answer, mark)
        is_star = mark is not None and mark.is_star
        wanted.append(RowAnswer(origin.source_id, text, origin.place, is_star))
        left_out += [NotTaken(origin.place or origin.source_id, reason)] if reason else []
    return wanted, left_out


def _text(answer: Answer, mark: Mark | None) -> tuple[str | None, str]:
    """What is shown of an answer, or nothing and why."""
    if mark is not None and mark.correction is not None:
        return mark.correction, ""
    if mark is not None and mark.is_bad:
        return None, "somebody has marked the answer as bad"
    if answer.state != AnswerState.ANSWERED.value:
        return None, "the model gave no answer"
    if answer.finish_reason == CUT_OFF:
        return None, "the answer was cut off"
    return (answer.text, "") if answer.text.strip() else (None, "the answer is empty")


def _note(made: SourceOffer, offered: Offered, left_out: Sequence[NotTaken], position: int) -> None:
    not_taken = [*left_out, *offered.not_taken]
    made.position = position
    made.num_new += offered.num_new
    made.num_same += offered.num_same
    made.num_not_taken += len(not_taken)
    room = MAX_LISTED - len(made.not_taken)
    listed = [{"place": each.place, "reason": each.reason} for each in not_taken[: max(0, room)]]
    made.not_taken = [*made.not_taken, *listed]


class OfferKeeper(TimesKeeper[tuple[str, str]]):
    """Offers the answers of runs that have ended, where a source wants that: connection and run."""

    name: ClassVar[str] = "offers"

    def due(self, session: Session, now: datetime) -> Sequence[tuple[tuple[str, str], Person]]:
        """Runs that have ended and whose answers were not offered yet."""
        wanting = [each for each in connections.all_there(session) if _wants(each)]
        found = queries.to_offer(session, wanting, since=now - ENDED_WITHIN)
        return [((connection.id, run.id), owner(connection)) for connection, run in found]

    def begin(self, session: Session, what: tuple[str, str], *, by: Person) -> object:
        """Queue the offer."""
        return offer(session, *what, by=by, is_by_itself=True)


def _wants(connection: SourceConnection) -> bool:
    return bool(connection.options.get("offer_answers")) and takes_answers(connection.kind)
