"""The part of the form that asks for several trainings: up to three settings, with the values that are tried."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from goldsmith.train.backends.base import Backend
from goldsmith.train.dial import SETS, Dial
from goldsmith.train.recipe import backend_of
from goldsmith.train.tables import DIAL
from goldsmith.web.dependencies import TheBackends
from goldsmith.web.forms import MAX_TEXT_BYTES, FormField, Option
from goldsmith.web.train.group_views import DIAL_TITLE
from goldsmith.web.train.start_form import Start, read_start
from goldsmith.web.train.views import DEFAULT_BACKEND

NUM_LINES: Final = 3
VARY, VALUES = "vary_", "values_"
_EXAMPLES = ("0.0002, 0.0005", "8, 16", "")


@dataclass(frozen=True)
class Several:
    """The form as it was sent, with what is to be tried."""

    start: Start
    """The part that is the same for all; of a varied dial the numbers are left to the dial."""
    values: Mapping[str, tuple[str, ...]]
    posted: tuple[tuple[str, str], ...]
    """Everything that was sent, so that it can be sent again."""


def several_fields(backend: Backend, values: Mapping[str, Any]) -> tuple[tuple[FormField, FormField], ...]:
    """Lines of a setting and its values, as they were typed."""
    settings = (Option(name, info.title or name) for name, info in backend.options.model_fields.items())
    options = (Option("", "Nothing"), Option(DIAL, f"{DIAL_TITLE} ({', '.join(Dial)})"), *settings)
    return tuple(
        (
            FormField(
                f"{VARY}{number}",
                f"Setting {number}",
                "select",
                value=str(values.get(f"{VARY}{number}", "")),
                is_required=False,
                options=options,
            ),
            FormField(
                f"{VALUES}{number}",
                f"Values of setting {number}",
                value=str(values.get(f"{VALUES}{number}", "")),
                is_required=False,
                attrs=(("placeholder", _EXAMPLES[number - 1]),) if _EXAMPLES[number - 1] else (),
            ),
        )
        for number in range(1, NUM_LINES + 1)
    )


async def read_several(request: Request, backends: TheBackends, backend: str = DEFAULT_BACKEND) -> Several:
    """The sent form, with its lines of settings and values."""
    backend_of(backend, backends)
    start = await read_start(request, backends, backend)
    async with request.form(max_part_size=MAX_TEXT_BYTES) as form:
        posted = tuple((name, value) for name, value in form.items() if isinstance(value, str))
    sent = dict(posted)
    values: dict[str, tuple[str, ...]] = {}
    for number in range(1, NUM_LINES + 1):
        if name := sent.get(f"{VARY}{number}", ""):
            values[name] = (*values.get(name, ()), *parsed(sent.get(f"{VALUES}{number}", "")))
    return Several(left_to_dial(start) if DIAL in values else start, values, posted)


def left_to_dial(start: Start) -> Start:
    """The form without the numbers that the dial sets: a form has one in every field, and would go before it."""
    if start.request is None:
        return start
    options = {name: value for name, value in start.request.options.items() if name not in SETS}
    return replace(start, request=replace(start.request, options=options))


def parsed(text: str) -> tuple[str, ...]:
    """`0.0002, 0.0005` or with spaces or semicolons between."""
    return tuple(part for part in re.split(r"[,;\s]+", text) if part)


TheSeveral = Annotated[Several, Depends(read_several)]
"""The form that asks for several trainings, as it was sent."""
