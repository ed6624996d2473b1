"""The forms of the playground: the question, and what is said about an answer."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from goldsmith.web.forms import FormField, FormModel, Option
from goldsmith.web.playground.tried import MAX_CHARACTERS, MAX_SIDES, Side, Tried

_TEXTAREA: dict[str, Any] = {"kind": "textarea"}
FOLDED = ("temperature", "max_tokens")
NOBODY = Option("", "Nobody")


class AskForm(FormModel):
    """A question to one or two models."""

    a: Annotated[str, Field(max_length=255, title="Model on the left")]
    b: Annotated[str, Field(max_length=255, title="Model on the right")] = ""
    """Both get the same question, so that one sees what a training has changed."""
    system_text: Annotated[str, Field(max_length=MAX_CHARACTERS, title="Instructions", json_schema_extra=_TEXTAREA)] = (
        ""
    )
    """What the model has to know and to do (the system text)."""
    question: Annotated[
        str, Field(min_length=1, max_length=MAX_CHARACTERS, title="Your message", json_schema_extra=_TEXTAREA)
    ]
    temperature: Annotated[float, Field(ge=0, le=2, title="Temperature")] = 0.0
    """0: the likeliest words, nearly the same each time. Higher: more varied."""
    max_tokens: Annotated[int, Field(ge=1, le=32_768, title="Longest answer, in tokens")] = 512
    """A token is about three quarters of a word. What is longer is cut off, and shown as such."""

    @property
    def tried(self) -> Tried:
        """What is to be asked."""
        return Tried(
            question=self.question,
            system_text=self.system_text,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            sides=(Side(asked=self.a), Side(asked=self.b)),
        )


class SayForm(FormModel):
    """What somebody says about one of the answers."""

    tried: Annotated[str, Field(max_length=1_000_000)]
    side: Annotated[int, Field(ge=0, le=1)]
    verb: Literal["star", "unstar", "text"]
    text: Annotated[str, Field(max_length=MAX_CHARACTERS)] = ""

    @field_validator("tried")
    @classmethod
    def _reads(cls, text: str) -> str:
        try:
            tried = Tried.model_validate_json(text)
        except ValidationError as error:
            raise ValueError("What was asked did not come back whole; ask once more.") from error
        if len(tried.sides) != MAX_SIDES:
            raise ValueError("There are two sides.")
        return text

    @property
    def shown(self) -> Tried:
        """What the page has shown."""
        return Tried.model_validate_json(self.tried)


def with_choices(fields: tuple[FormField, ...], choices: tuple[Option, ...]) -> tuple[FormField, ...]:
    """The fields, with who can be asked."""
    options = {"a": choices, "b": (NOBODY, *choices)}
    return tuple(
        replace(field, kind="select", options=options[field.name]) if field.name in options else field
        for field in fields
    )


def values_of(tried: Tried) -> dict[str, Any]:
    """What was asked, as it stands in the form."""
    first, second = tried.sides
    named = {name: getattr(tried, name) for name in ("system_text", "question", "temperature", "max_tokens")}
    return {"a": first.asked, "b": second.asked, **named}
