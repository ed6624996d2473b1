"""`{"messages": [{"role", "content"}, …]}`: what OpenAI-compatible fine-tuning services take as a file."""

from collections.abc import Sequence

from goldsmith.stars.errors import ExampleDoesNotFit
from goldsmith.stars.formats import json_line
from goldsmith.stars.types import Message


def render(messages: Sequence[Message]) -> str:
    """One line of JSON. These services want a question before the answer."""
    chat = json_line.checked(messages)
    if not any(message["role"] == "user" for message in chat):
        raise ExampleDoesNotFit("There is no message from the user, and fine-tuning services want one.")
    return json_line.render({"messages": chat})
