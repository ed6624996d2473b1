"""Chats as values: what a message is, and the checks that every chat passes before a template sees it.

Knows no model. Called by `rendering.py`; whoever builds messages elsewhere may call it to fail early.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from goldsmith.models.errors import ChatNotUsable

ROLES = ("system", "user", "assistant")

Message = Mapping[str, Any]
Messages = Sequence[Message]


def check_chat(messages: Messages) -> None:
    """Raise ChatNotUsable, naming the message, unless this is a chat of texts with known roles."""
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Sequence):
        raise ChatNotUsable("A chat is a list of messages.")
    if not messages:
        raise ChatNotUsable("The chat is empty.", hint="Give at least one message.")
    for number, message in enumerate(messages, start=1):
        _check_message(number, message)


def _check_message(number: int, message: Message) -> None:
    if not isinstance(message, Mapping):
        raise ChatNotUsable(f"Message {number} is not an object with a role and a content.")
    foreign = sorted(str(key) for key in message if key not in {"role", "content"})
    if foreign:
        raise ChatNotUsable(
            f"Message {number} has the field {foreign[0]!r}, which cannot be learned from.",
            hint="Leave only role and content in each message.",
        )
    role = message.get("role")
    if role not in ROLES:
        raise ChatNotUsable(f"Message {number} has the role {role!r}; it must be one of: {', '.join(ROLES)}.")
    where = f"Message {number} ({role})"
    content = message.get("content")
    if content is None:
        raise ChatNotUsable(f"{where} has no content.", hint="Write an empty text where nothing was said.")
    if not isinstance(content, str):
        raise ChatNotUsable(
            f"{where} has a {type(content).__name__} where its text belongs.",
            hint="Only text can be rendered; join the text parts into one and leave images out.",
        )
    _check_encodable(where, content)


def _check_encodable(where: str, content: str) -> None:
    try:
        content.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ChatNotUsable(
            f"{where} has half a character (a lone surrogate) at position {error.start + 1}, which is no text.",
            hint="Export the row again as UTF-8, or take that character out.",
        ) from None
