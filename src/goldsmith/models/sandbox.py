"""The one factory of sandboxed Jinja environments, for templates that Goldsmith did not write.

Two kinds: chat templates that come with a model, and prompts that people write. Neither has a loader. The sandbox
bounds what a template can reach, not how long it works: whoever renders for strangers does so in a limited worker.
Knows no model and no tokenizer.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from goldsmith.models.errors import RenderedTextTooLong

MAX_TEXT_CHARACTERS = 2_000_000
"""More than this is refused; the longest contexts of today hold less."""


class RefusedByTemplate(TemplateError):
    """The template itself called `raise_exception`: it does not take this chat."""


class _GenerationTag(Extension):
    """`{% generation %}` marks what the assistant said; for the text it changes nothing."""

    tags = {"generation"}  # noqa: RUF012 - declared so by Jinja

    def parse(self, parser: Parser) -> nodes.Node:
        """Keep the body in a scope of its own, as a call block would."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Refuses the two operators with which one short expression asks for gigabytes."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Do the operation if its result stays small."""
        if operator == "**" and (abs(left) > 1_000_000 or abs(right) > 64):
            raise SecurityError("a power this large is not allowed in a template")
        if operator == "*" and _repeated_length(left, right) > MAX_TEXT_CHARACTERS:
            raise SecurityError("a repetition this long is not allowed in a template")
        return super().call_binop(context, operator, left, right)


def _repeated_length(left: Any, right: Any) -> int:
    """How long `left * right` gets when one of them is text or a list, else 0."""
    for sequence, count in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(count, int):
            return len(sequence) * count
    return 0


def chat_template_environment(today: date) -> ImmutableSandboxedEnvironment:
    """An environment for a model's chat template; `strftime_now` always says the same date, at midnight."""
    environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _GenerationTag])
    allowed = {name: environment.globals[name] for name in ("range", "namespace", "dict")}
    environment.globals.clear()
    environment.globals.update(allowed)
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = datetime.combine(today, time()).strftime
    environment.filters["tojson"] = _to_json
    return environment


def prompt_environment() -> ImmutableSandboxedEnvironment:
    """An environment for prompts with `{{column}}`: no globals, unknown names are errors, texts go in unchanged."""
    environment = _Sandbox(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.globals.clear()
    environment.filters["tojson"] = _to_json
    return environment


def render_within(template: Template, values: Mapping[str, Any], *, limit: int = MAX_TEXT_CHARACTERS) -> str:
    """Render, and stop as soon as the text is longer than `limit` characters."""
    pieces: list[str] = []
    num_characters = 0
    for piece in template.generate(values):
        num_characters += len(piece)
        if num_characters > limit:
            raise RenderedTextTooLong(f"The rendered text has more than {limit:,} characters.")
        pieces.append(piece)
    return "".join(pieces)


def _raise_exception(message: str) -> NoReturn:
    raise RefusedByTemplate(message)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as models were trained to read it: no escaping for HTML, which Jinja's own filter would do."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
