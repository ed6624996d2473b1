"""A look before the start, for page and API: what is asked for, and what is found. Used by the handlers only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from goldsmith.errors import Invalid
from goldsmith.models import queries as models
from goldsmith.models import tables
from goldsmith.models.types import Learns
from goldsmith.stars import queries as stars
from goldsmith.stars.tables import TrainingSet
from goldsmith.train import look as looking
from goldsmith.train.backends.methods import LEARNS, learns
from goldsmith.train.look import DEFAULT_LIMIT, LARGEST_LIMIT, Look, RowSize, SeenRow
from goldsmith.web.dependencies import CurrentPerson, ReadSession, TheHome
from goldsmith.web.listing import Chip, Pager, chips, with_query
from goldsmith.web.pages import Page

ROWS_A_PAGE = 10
Show = Literal["", "left_out", "exam"]
"""Which rows: all to learn, those of them that are left out, or the exam."""


@dataclass(frozen=True)
class Looked:
    """A look, with the pair that was looked at."""

    training_set: TrainingSet
    base: tables.BaseModel
    look: Look
    refused: Invalid | None = None
    """Why nothing can be taught to this model; then the look is empty."""
    method: str = ""
    """As it was asked for, of whatever backend."""

    @property
    def needs_pairs(self) -> bool:
        """Whether rows without a bad answer are left out."""
        return learns(self.method) is Learns.pairs

    def shown(self, show: Show) -> Sequence[RowSize]:
        """The rows that are asked for, in their order."""
        if show == "left_out":
            return self.look.left_out
        return self.look.exam if show == "exam" else self.look.to_learn


class Asked(BaseModel):
    """Which training set, for which base model, with which limit and method."""

    training_set: Annotated[str, Field(max_length=255)]
    base_model: Annotated[str, Field(max_length=255)]
    max_length: Annotated[int | None, Field(ge=16, le=LARGEST_LIMIT)] = None
    """The longest row that is learned, in tokens."""
    method: Annotated[str, Field(max_length=16)] = ""
    """`dpo` leaves rows without a bad answer out; of `kto` each good and each bad answer stands for a row."""


def _looked(session: ReadSession, home: TheHome, person: CurrentPerson, asked: Annotated[Asked, Query()]) -> Looked:
    found = stars.training_set(session, asked.training_set, domain=person.domain)
    base = models.base(session, asked.base_model, domain=person.domain)
    method = asked.method if asked.method in LEARNS else ""
    try:
        seen = looking.look(session, home, found, base, max_length=asked.max_length, learns=learns(method))
        return Looked(found, base, seen, method=method)
    except Invalid as refused:
        nothing = Look((), asked.max_length or DEFAULT_LIMIT, None, stops_by_itself=True)
        return Looked(found, base, nothing, refused, method)


TheLook = Annotated[Looked, Depends(_looked)]
"""The look at the training set and the base model that the address names, with its limit."""


def _seen(
    session: ReadSession,
    home: TheHome,
    looked: TheLook,
    show: Show = "",
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = ROWS_A_PAGE,
) -> list[SeenRow]:
    some = looked.shown(show)[after : after + limit]
    if not some:
        return []
    return looking.seen_rows(session, home, looked.training_set, looked.base, some, limit=looked.look.max_tokens)


TheSeenRows = Annotated[list[SeenRow], Depends(_seen)]
"""Some of its rows with their texts."""


@dataclass(frozen=True)
class LookPage(Page):
    """Every row as the model will see it."""

    template: ClassVar[str] = "train/look.html"
    current: ClassVar[str] = "training"
    looked: Looked
    filters: tuple[Chip, ...]
    rows: tuple[SeenRow, ...]
    pager: Pager
    address: str
    start: str
    """The form that starts a training of this pair."""


def look_page(request: Request, looked: Looked, rows: Sequence[SeenRow], *, show: Show, after: int) -> LookPage:
    """The page of a look."""
    names: tuple[tuple[Show, str], ...] = (("", "To learn"), ("left_out", "Left out"), ("exam", "Exam"))
    counts: dict[str, int] = {name: len(looked.shown(name)) for name, _ in names}
    pair = f"training_set={looked.training_set.id}&base_model={looked.base.id}&max_length={looked.look.max_tokens}"
    pair += f"&method={looked.method}" if looked.method else ""
    return LookPage(
        title="What the model will learn",
        looked=looked,
        filters=chips(request, "show", names, counts),
        rows=tuple(rows),
        pager=_pager(request, after, len(rows), counts[show]),
        address=f"/training/look?{pair}",
        start=f"/training/new?{pair}",
    )


def _pager(request: Request, after: int, num_shown: int, total: int) -> Pager:
    if not num_shown:
        return Pager("No row is like that.")
    back = with_query(request, after=max(0, after - ROWS_A_PAGE) or None) + "#rows" if after else None
    last = after + num_shown
    more = with_query(request, after=last) + "#rows" if last < total else None
    return Pager(f"{after + 1:,} to {last:,} of {total:,}", back, more)
