"""One value as one line of JSON, the same bytes every time, and what every example has to be before it is written."""

import json
import re
from collections.abc import Mapping, Sequence

from goldsmith.stars.errors import ExampleDoesNotFit
from goldsmith.stars.types import Message

# Some readers end a line at the first three, and the rest (halves of a pair) cannot be written as UTF-8.
_ESCAPED = re.compile("[\u0085\u2028\u2029\ud800-\udfff]")

_ROLES = ("system", "user", "assistant")


def render(value: Mapping[str, object]) -> str:
    """The line, without its end; letters of every script stand as they are."""
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def checked(messages: Sequence[Message]) -> list[Message]:
    """The messages with nothing but role and content, in this order; refused where there is nothing to learn."""
    for position, message in enumerate(messages, start=1):
        if message["role"] not in _ROLES:
            raise ExampleDoesNotFit(
                f'Message {position} has the role "{message["role"]}"; a training set knows {", ".join(_ROLES)}.'
            )
    if not messages or messages[-1]["role"] != "assistant":
        raise ExampleDoesNotFit("The last message is not from the assistant, so there is no answer to learn.")
    if not messages[-1]["content"].strip():
        raise ExampleDoesNotFit("The answer is empty, so there is nothing to learn.")
    return [Message(role=message["role"], content=message["content"]) for message in messages]
