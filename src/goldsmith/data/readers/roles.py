"""Guesses which column holds the question, the right answer, the system text or a chat, for the mapping form. Pure."""

import json
import re
from collections.abc import Sequence

from goldsmith.data.readers.types import ColumnRoles, ReadRow

# The likeliest names first.
_ANSWERS = (
    *("answer", "rightanswer", "correctanswer", "goodanswer", "goldanswer", "expected", "expectedanswer", "gold"),
    *("expectedoutput", "output", "completion", "response", "target", "label", "category", "ideal", "reply"),
    *("solution", "correct", "antwort", "a"),
)
_QUESTIONS = (
    *("question", "prompt", "input", "instruction", "query", "message", "text", "request", "content", "ticket"),
    *("email", "frage", "q"),
)
_SYSTEMS = ("system", "systemprompt", "systemtext", "systemmessage")
_NOT_IN_NAMES = re.compile(r"[\W_]+")


def guess(columns: Sequence[str], rows: Sequence[ReadRow]) -> ColumnRoles:
    """By name; a chat by its content. A person confirms the guesses."""
    plain = {_NOT_IN_NAMES.sub("", name.casefold()): name for name in reversed(columns)}
    return ColumnRoles(
        question=_first(plain, _QUESTIONS),
        answer=_first(plain, _ANSWERS),
        system=_first(plain, _SYSTEMS),
        chat=next((name for name in columns if _is_chat_column(name, rows)), None),
    )


def _first(plain: dict[str, str], names: Sequence[str]) -> str | None:
    return next((plain[name] for name in names if name in plain), None)


def _is_chat_column(name: str, rows: Sequence[ReadRow]) -> bool:
    texts = [row.values[name] for row in rows if row.values[name]]
    return bool(texts) and all(_is_chat(text) for text in texts)


def _is_chat(text: str) -> bool:
    if not text.lstrip().startswith("["):
        return False
    try:
        messages = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return bool(messages) and all(isinstance(message, dict) and "role" in message for message in messages)
