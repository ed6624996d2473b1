"""What a person says about an answer on the reading page, and where the page goes on. Read from the posted form."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from pydantic import Field

from goldsmith.run.tables import Answer
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import AnswerFilter, AnswerQuery, MarkKind, MarkRequest
from goldsmith.web.answers import MAX_NUMBER
from goldsmith.web.forms import MAX_TEXT_BYTES, FormModel, fill
from goldsmith.web.stars.choices import FIELD, chosen_text

QUEUE_LENGTH = 15


class Said(StrEnum):
    """The buttons of the reading page."""

    STAR = "star"
    TEXT = "text"
    BAD = "bad"
    NOTE = "note"
    UNSTAR = "unstar"


_TOASTS = {
    Said.STAR: "starred",
    Said.TEXT: "corrected and starred",
    Said.BAD: "marked bad",
    Said.NOTE: "has a note",
    Said.UNSTAR: "has no star any more",
}


class PlaceForm(FormModel):
    """Where one reads: which answers, and at which row."""

    filter: AnswerFilter = AnswerFilter.all
    search: Annotated[str, Field(max_length=1000)] = ""
    at: Annotated[int, Field(ge=0, le=MAX_NUMBER)] | None = None

    @property
    def query(self) -> AnswerQuery:
        """Which answers."""
        return AnswerQuery(self.filter, self.search or None, limit=QUEUE_LENGTH)

    def address(self, run_id: str, at: int | None) -> str:
        """The reading page there."""
        asked = {"at": at, "filter": self.filter.value if self.filter is not AnswerFilter.all else None}
        query = {name: value for name, value in (asked | {"search": self.search}).items() if value}
        return f"/stars/{run_id}?{urlencode(query)}" if query else f"/stars/{run_id}"


class SayForm(PlaceForm):
    """The same, with what is said."""

    verb: Said
    text: str = ""
    expected_mark_id: Annotated[int, Field(ge=0, le=MAX_NUMBER)] | None = None


@dataclass(frozen=True)
class Saying:
    """A button that was pressed, with everything that was chosen and typed."""

    form: SayForm
    posted: Mapping[str, str]

    def request(self, answer: Answer, newest: Mark | None, schema: Mapping[str, Any] | None) -> MarkRequest:
        """As the step takes it, for an answer that stands as `newest` says. Raises FormNotUsable."""
        form, seen = self.form, newest.id if newest is not None else 0
        if form.verb not in (Said.STAR, Said.TEXT):
            text = form.text if form.verb is Said.NOTE else None
            return MarkRequest(MarkKind(form.verb.value), text, seen)
        text = self.meant(answer, schema)
        has_correction = newest is not None and newest.correction is not None
        is_as_written = text.strip() == answer.text.strip() and bool(text.strip())
        if is_as_written and not has_correction:
            return MarkRequest(MarkKind.star, None, seen)
        return MarkRequest(MarkKind.correction, answer.text if is_as_written else text, seen)

    def meant(self, answer: Answer, schema: Mapping[str, Any] | None) -> str:
        """What the model should have said."""
        if self.form.verb is Said.TEXT or not any(name.startswith(FIELD) for name in self.posted):
            return self.form.text or answer.text
        return chosen_text(schema, self.posted, answer.text)

    def toast(self, position: int) -> str:
        """What is said afterwards."""
        return f"Row {position:,} {_TOASTS[self.form.verb]}."


async def _read(request: Request) -> Saying:
    async with request.form(max_part_size=MAX_TEXT_BYTES) as form:
        posted = {name: value for name, value in form.items() if isinstance(value, str)}
    own = {name: text for name, text in posted.items() if name in SayForm.model_fields}
    return Saying(fill(SayForm, own).usable, posted)


def _place(request: Request) -> PlaceForm:
    asked = {name: text for name, text in request.query_params.items() if name in PlaceForm.model_fields}
    return fill(PlaceForm, asked).usable


TheSaying = Annotated[Saying, Depends(_read)]
ThePlace = Annotated[PlaceForm, Depends(_place)]
"""Where the address says that one reads."""
