"""`{"instruction", "input", "output"}`: one question and one answer.

With a system text, that is the instruction and the question is the input; without one, the question is the instruction.
"""

from collections.abc import Sequence

from goldsmith.stars.errors import ExampleDoesNotFit
from goldsmith.stars.formats import json_line
from goldsmith.stars.types import Message


def render(messages: Sequence[Message]) -> str:
    """One line of JSON; a chat of several turns is refused, because the format has no place for it."""
    chat = json_line.checked(messages)
    roles = [message["role"] for message in chat]
    contents = [message["content"] for message in chat]
    if roles == ["system", "user", "assistant"]:
        instruction, question, output = contents
    elif roles == ["user", "assistant"]:
        instruction, question, output = contents[0], "", contents[1]
    else:
        raise ExampleDoesNotFit(
            f"The format alpaca holds one question and one answer, and this chat is: {', '.join(roles)}."
        )
    return json_line.render({"instruction": instruction, "input": question, "output": output})
