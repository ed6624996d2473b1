"""What bodies and answers of the API have in common: their base models, ids and pages, and how "not yet" is said.

Used by every step's `api.py`; knows no step.
"""

from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

MAX_NUMBER = 2**53 - 1
"""The largest whole number that every client of JSON can hold exactly."""


class ApiAnswer(BaseModel):
    """What the API answers; made from rows and values by their attributes."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class ApiBody(BaseModel):
    """What the API takes; a name that it does not know is an error, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _as_text(value: str) -> str:
    if "\x00" in value or value != value.encode("utf-8", "replace").decode("utf-8"):
        raise ValueError("it holds a character that is no text (NUL, or half of a surrogate pair)")
    return value


Text = Annotated[str, AfterValidator(_as_text)]
"""A text that can be kept."""
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_as_text)]
"""The name of a thing, or its id."""
Id = Annotated[str, Path(max_length=255), AfterValidator(_as_text)]
"""An id, or a name, in an address."""
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
After = Annotated[int, Query(ge=0, le=MAX_NUMBER, description="The place of the last one that was seen.")]
Before = Annotated[
    str | None,
    Query(max_length=64, description="The id of the last one that was seen."),
    AfterValidator(lambda value: value if value is None else _as_text(value)),
]


def not_yet(response: Response, address: str) -> None:
    """Say that it is under way, and where one sees how it goes on."""
    response.status_code = 202
    response.headers["location"] = address


def made(response: Response, address: str) -> None:
    """Say where the new thing is."""
    response.headers["location"] = address


class MadeAnswer(ApiAnswer):
    """The dataset that is being made."""

    dataset: str
    version: str


class ForgottenAnswer(ApiAnswer):
    """How many were deleted."""

    num_deleted: int
