"""`{"messages": [{"role", "content"}, …]}`: the chat as it is; the model's template adds the markers."""

from collections.abc import Sequence

from goldsmith.stars.formats import json_line
from goldsmith.stars.types import Message


def render(messages: Sequence[Message]) -> str:
    """One line of JSON."""
    return json_line.render({"messages": json_line.checked(messages)})
