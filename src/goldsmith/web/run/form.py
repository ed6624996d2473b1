"""The form of a new run: who answers, what is asked, in which form the answer comes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, field_validator

from goldsmith.errors import GoldsmithError
from goldsmith.run.messages import check_schema, check_variables, variables_of
from goldsmith.run.types import PromptDraft, RunOptions
from goldsmith.web.forms import FormField, FormModel
from goldsmith.web.run.fields import schema_of, text_of

FOLDED = ("answer_schema", "max_rows", "max_tokens", "temperature", "prompt_name", "name")
MAX_CHARACTERS = 60_000
_HIDDEN: dict[str, Any] = {"kind": "hidden"}
_TEXTAREA: dict[str, Any] = {"kind": "textarea"}
_CHOICES: dict[str, Any] = {"kind": "choices"}


class RunForm(FormModel):
    """A new run, as it is asked for."""

    dataset_version: Annotated[str, Field(max_length=64, json_schema_extra=_HIDDEN)]
    model: Annotated[str, Field(max_length=64, title="Who answers?", json_schema_extra=_CHOICES)]
    system_text: Annotated[str, Field(max_length=MAX_CHARACTERS, title="Instructions", json_schema_extra=_TEXTAREA)] = (
        ""
    )
    """What the model has to know and to do; the same for every row."""
    template: Annotated[str, Field(max_length=MAX_CHARACTERS, title="The question", json_schema_extra=_TEXTAREA)]
    """{{column}} stands for what the row says there."""
    answer_fields: Annotated[
        str, Field(max_length=MAX_CHARACTERS, title="Fields of the answer", json_schema_extra=_TEXTAREA)
    ] = ""
    """For answers as JSON: one field a line, with the values that it may have, such as “urgency: low, high”.
    Without values it may say anything. Empty: the answer is plain text."""
    answer_schema: Annotated[
        str, Field(max_length=MAX_CHARACTERS, title="JSON schema", json_schema_extra=_TEXTAREA)
    ] = ""
    """For what fields cannot say; takes the place of the fields."""
    max_rows: Annotated[int, Field(ge=1, le=100_000_000, title="Only the first rows")] | None = None
    """Ask a few first, to see how it goes. Empty: all."""
    max_tokens: Annotated[int, Field(ge=1, le=32_768, title="Longest answer, in tokens")] = 512
    """A token is about three quarters of a word. What is longer is cut off, and shown as such."""
    temperature: Annotated[float, Field(ge=0, le=2, title="Temperature")] = 0.0
    """0: the likeliest words, nearly the same each time. Higher: more varied."""
    prompt_name: Annotated[str, Field(max_length=255, title="Name of the prompt")] = ""
    """What is asked is kept under this name, so that it can be used again."""
    name: Annotated[str, Field(max_length=255, title="Name of the run")] = ""

    @field_validator("answer_fields")
    @classmethod
    def _reads_as_fields(cls, text: str) -> str:
        schema_of(text)
        return text

    @field_validator("answer_schema")
    @classmethod
    def _reads_as_schema(cls, text: str) -> str:
        if text:
            _checked_schema(text)
        return text

    @field_validator("template", "system_text")
    @classmethod
    def _reads_as_template(cls, text: str) -> str:
        try:
            variables_of(text)
        except GoldsmithError as error:
            raise ValueError(error.message) from None
        return text

    @field_validator("template")
    @classmethod
    def _names_a_column(cls, text: str) -> str:
        if "{{" not in text:
            raise ValueError("It names no column, so it would ask the same for every row.")
        return text

    @property
    def draft(self) -> PromptDraft:
        """The wording."""
        schema: Mapping[str, Any] | None = None
        if self.answer_schema:
            schema = json.loads(self.answer_schema)
        elif self.answer_fields:
            schema = schema_of(self.answer_fields)
        return PromptDraft(self.template, self.system_text, schema)

    @property
    def options(self) -> RunOptions:
        """How it asks."""
        return RunOptions(max_rows=self.max_rows, max_tokens=self.max_tokens, temperature=self.temperature)


def values_of(draft: PromptDraft) -> dict[str, str]:
    """A wording as it stands in the form."""
    values = {"system_text": draft.system_text, "template": draft.template}
    if draft.answer_schema is None:
        return values
    as_fields = text_of(draft.answer_schema)
    if as_fields is not None:
        return values | {"answer_fields": as_fields}
    return values | {"answer_schema": json.dumps(draft.answer_schema, indent=2, ensure_ascii=False)}


def with_column_errors(
    fields: Sequence[FormField], form: RunForm, columns: Sequence[str], *, answer_column: str | None = None
) -> tuple[tuple[FormField, ...], bool]:
    """The fields, each with what is wrong with the columns that it names; and whether something is.

    A column that is not there is wrong, and so is the one with the good answers: who reads them learns nothing.
    """
    errors = {}
    for name in ("system_text", "template"):
        try:
            check_variables(PromptDraft(getattr(form, name)), columns)
        except GoldsmithError as error:
            errors[name] = error.message
        else:
            if answer_column in variables_of(getattr(form, name)):
                errors[name] = (
                    f"{{{{{answer_column}}}}} holds the good answers: the model would only copy them. Take it out."
                )
    return tuple(replace(field, error=errors.get(field.name, field.error)) for field in fields), bool(errors)


def _checked_schema(text: str) -> None:
    try:
        schema = dict(json.loads(text))
    except TypeError:
        raise ValueError("A JSON schema is an object in braces.") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"It is not JSON: {error}.") from None
    try:
        check_schema(schema)
    except GoldsmithError as error:
        raise ValueError(error.message) from None
