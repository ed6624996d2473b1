"""A prompt's wording and a row become messages; a model's text becomes parsed JSON. Pure; everybody who asks calls it.

>>> messages_for(PromptDraft("Which topic? {{message}}"), {"message": "Where is {{my}} card?"})
[{'role': 'user', 'content': 'Which topic? Where is {{my}} card?'}]
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn, Protocol

from jinja2 import Environment, Template, TemplateError

from goldsmith.models.sandbox import prompt_environment, render_within
from goldsmith.run.errors import AnswerSchemaNotUsable, PromptNotUsable, PromptVariableUnknown, RowNotAskable

CHAT_COLUMN = "messages"
"""A prompt that is `{{messages}}` alone asks a row's whole conversation, where the row holds one."""

FILTERS = ("trim", "lower", "upper", "tojson")
"""What may stand behind a bar: `{{column | trim}}`."""

MAX_SHOWN_CHARACTERS = 120
_VARIABLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class Wording(Protocol):
    """A draft or a saved version of a prompt."""

    @property
    def template(self) -> str:
        """The text with `{{column}}` variables."""
        ...

    @property
    def system_text(self) -> str:
        """The same for the system message; empty for none."""
        ...


@dataclass(frozen=True)
class _Compiled:
    """A template whose variables have names that the sandbox can read, whatever the columns are called."""

    columns: tuple[str, ...]
    template: Template

    def render(self, content: Mapping[str, Any]) -> str:
        values = {_alias(number): str(content[column]) for number, column in enumerate(self.columns)}
        return render_within(self.template, values)


def variables_of(*texts: str) -> list[str]:
    """The columns that the texts name, each once, in the order of appearance. Raises PromptNotUsable."""
    return list(dict.fromkeys(column for text in texts for column in _compile(text).columns))


def check_variables(wording: Wording, columns: Sequence[str]) -> None:
    """Raise PromptVariableUnknown when the wording names a column that is not among these."""
    for name in variables_of(wording.system_text, wording.template):
        if name not in columns:
            raise PromptVariableUnknown(
                f"The prompt names {{{{{name}}}}}, but the columns are: {', '.join(columns) or '(none)'}."
            )


def messages_for(wording: Wording, content: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the model is asked for a row. Raises PromptNotUsable, PromptVariableUnknown, RowNotAskable."""
    check_variables(wording, list(content))
    system = _compile(wording.system_text).render(content)
    first = [{"role": "system", "content": system}] if system.strip() else []
    turns = _conversation(wording, content)
    if turns is not None:
        is_system_there = bool(first) and turns[0]["role"] == "system"
        return [*first, *(turns[1:] if is_system_there else turns)]
    text = _compile(wording.template).render(content)
    if not text.strip():
        raise RowNotAskable("With this row the prompt is empty, so there is nothing to ask.")
    return [*first, {"role": "user", "content": text}]


def question_of_chat(text: Any) -> list[dict[str, str]] | None:
    """The turns of a conversation (JSON) up to its last question; None when it is not one of plain texts."""
    try:
        turns = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(turns, list) or not all(_is_turn(turn) for turn in turns):
        return None
    kept = [{"role": _role(turn["role"]), "content": turn["content"]} for turn in turns]
    while kept and kept[-1]["role"] != "user":
        kept.pop()
    return kept or None


def parse_answer(text: str, schema: Mapping[str, Any] | None) -> tuple[Any | None, str | None]:
    """The answer as JSON, and else why it is not what was asked for. Both None when no JSON was asked for."""
    if schema is None:
        return None, None
    try:
        parsed = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return None, f"The answer is not JSON: {_shown(str(error))}."
    return parsed, _misfit(schema, parsed)


def check_schema(schema: Mapping[str, Any] | None) -> None:
    """Raise AnswerSchemaNotUsable unless this is a JSON schema that refers to nothing outside itself."""
    if schema is None:
        return
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise AnswerSchemaNotUsable(f"The JSON schema is not valid: {_shown(error.message)}.") from None
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise AnswerSchemaNotUsable(f"The JSON schema refers to {_shown(reference)}, which is outside of it.")


def _conversation(wording: Wording, content: Mapping[str, Any]) -> list[dict[str, str]] | None:
    found = _VARIABLE.fullmatch(wording.template.strip())
    if found is None or found[1].strip() != CHAT_COLUMN:
        return None
    return question_of_chat(content[CHAT_COLUMN])


def _is_turn(turn: Any) -> bool:
    is_known = isinstance(turn, dict) and turn.get("role") in ("system", "developer", "user", "assistant")
    return is_known and isinstance(turn.get("content"), str)


def _role(role: str) -> str:
    return "system" if role == "developer" else role


@lru_cache(maxsize=256)
def _compile(text: str) -> _Compiled:
    """The sandbox sees nothing but aliases and known filters, so its work is bounded by the row."""
    if "{{" in _VARIABLE.sub("", text):
        raise PromptNotUsable("The prompt opens a variable with {{ and does not close it with }}.")
    columns: dict[str, int] = {}
    source = _VARIABLE.sub(lambda found: _expression(found[1], columns), text)
    try:
        template = _environment().from_string(source)
    except TemplateError as error:
        raise PromptNotUsable(f"The prompt cannot be read: {error}.") from None
    return _Compiled(tuple(columns), template)


def _environment() -> Environment:
    """Statements and comments are ordinary text in a prompt, so their signs are ones that nobody types."""
    return prompt_environment().overlay(
        block_start_string="\ue0f0\ue0f1",
        block_end_string="\ue0f1\ue0f0",
        comment_start_string="\ue0f2\ue0f3",
        comment_end_string="\ue0f3\ue0f2",
    )


def _expression(inside: str, columns: dict[str, int]) -> str:
    column, *filters = (part.strip() for part in inside.split("|"))
    if not column or "{" in column:
        raise PromptNotUsable(f"The prompt has {{{{{_shown(inside)}}}}}, which names no column.")
    for name in filters:
        if name not in FILTERS:
            raise PromptNotUsable(
                f"The prompt changes {{{{{column}}}}} by {_shown(name)!r}; known are: {', '.join(FILTERS)}."
            )
    number = columns.setdefault(column, len(columns))
    return "{{ " + " | ".join([_alias(number), *filters]) + " }}"


def _alias(number: int) -> str:
    return f"column_{number}"


def _misfit(schema: Mapping[str, Any], value: Any) -> str | None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry

    error = best_match(Draft202012Validator(schema, registry=Registry()).iter_errors(value))
    if error is None:
        return None
    where = " at " + "".join(f"[{part!r}]" for part in error.absolute_path) if error.absolute_path else ""
    return f"The answer does not fit the schema{where}: {_shown(error.message)}."


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, Mapping):
        for name, value in schema.items():
            if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _shown(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"
