"""OpenAI's chat files: objects with `messages`. The last assistant message is the good answer.

Columns: `messages` (the conversation as JSON), then `system`, `question` and `answer`, then the file's other keys.
`question` is filled where the conversation is one question and one answer, so that a prompt of it alone is complete.

Their files of preferences are read too: `input.messages` with `preferred_output` is the conversation, and the column
`non_preferred_output` holds the bad answer.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice

from goldsmith.data.readers import jsonl
from goldsmith.data.readers.jsonl import JsonRow
from goldsmith.data.readers.text import TextFile
from goldsmith.data.readers.types import BadRow, Format, ReadOptions, RowSource

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
REJECTED_COLUMN = "non_preferred_output"
"""Where a file says what the model should not answer."""
_PREFERRED = "preferred_output"
_SPLIT_COLUMNS = ("system", "question", "answer")
_NUM_ROWS_LOOKED_AT = 20


class _NotAChat(ValueError):
    """What is wrong with `messages`, for the reason of the bad row."""


def is_chat_file(text: TextFile, options: ReadOptions, *, is_list: bool) -> bool:
    """Whether the first good object of the file is a conversation."""
    first = islice(jsonl.objects(text, options, is_list=is_list), _NUM_ROWS_LOOKED_AT)
    members = next((row.members for row in first if isinstance(row, JsonRow)), {})
    messages = members.get("messages") or _asked(members)
    return isinstance(messages, list) and bool(messages) and all(isinstance(m, dict) and "role" in m for m in messages)


def open_source(text: TextFile, options: ReadOptions, *, is_list: bool) -> RowSource:
    """Rows from conversations."""
    found = partial(_chats, text, options, is_list=is_list)
    return jsonl.make_source(found, text, Format.CHAT)


def _chats(text: TextFile, options: ReadOptions, *, is_list: bool) -> Iterator[JsonRow | BadRow]:
    for row in jsonl.objects(text, options, is_list=is_list):
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            members = _joined(row.members) if _PREFERRED in row.members else row.members
            yield JsonRow(row.number, row.where, _split(members))
        except _NotAChat as error:
            yield BadRow(row.number, "messages", f"{row.where}: {error}")


def _asked(members: Mapping[str, object]) -> object:
    asked = members.get("input")
    return asked.get("messages") if isinstance(asked, dict) and _PREFERRED in members else None


def _joined(members: Mapping[str, object]) -> dict[str, object]:
    """A line of preferences as a conversation, with the bad answer beside it."""
    asked, better, worse = _asked(members), members.get(_PREFERRED), members.get(REJECTED_COLUMN)
    if not isinstance(asked, list):
        raise _NotAChat('input with a list of messages is expected, like {"messages": [{"role": "user", …}]}')
    for name, output in ((_PREFERRED, better), (REJECTED_COLUMN, worse)):
        if not isinstance(output, list) or len(output) != 1:
            raise _NotAChat(f"{name} must be a list of one message, the assistant's")
        if _turn(1, output[0])[0] != "assistant":
            raise _NotAChat(f"{name} is not from the assistant")
    rest = {name: value for name, value in members.items() if name not in ("input", _PREFERRED, REJECTED_COLUMN)}
    return {"messages": [*asked, *_list(better)], **rest, REJECTED_COLUMN: _turn(1, _list(worse)[0])[1]}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _split(members: Mapping[str, object]) -> dict[str, object]:
    messages = members.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _NotAChat('a list of messages is expected, like [{"role": "user", "content": "…"}]')
    turns = [_turn(place, message) for place, message in enumerate(messages, start=1)]
    roles = [role for role, _ in turns]
    dialogue = [turn for turn in turns if turn[0] not in ("system", "developer")]
    if "user" not in roles:
        raise _NotAChat("no message has the role user")
    is_one_question = [role for role, _ in dialogue] in (["user", "assistant"], ["user"])
    return {
        "messages": messages,
        "system": "\n\n".join(content for role, content in turns if role in ("system", "developer")),
        "question": dialogue[0][1] if is_one_question else "",
        "answer": next((content for role, content in reversed(turns) if role == "assistant"), ""),
        **{_other_name(key): value for key, value in members.items() if key != "messages"},
    }


def _other_name(key: str) -> str:
    return f"{key} (in file)" if key.strip() in _SPLIT_COLUMNS else key


def _turn(place: int, message: object) -> tuple[str, str]:
    if not isinstance(message, dict):
        raise _NotAChat(f"message {place} is not an object with role and content")
    role = message.get("role")
    if role not in ROLES:
        raise _NotAChat(f"message {place} has the role “{role}”; expected is one of {', '.join(ROLES)}")
    return str(role), _content(place, message)


def _content(place: int, message: Mapping[str, object]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if content is None and (message.get("tool_calls") or message.get("function_call")):
        return ""
    if isinstance(content, list):
        return "".join(_part(place, part) for part in content)
    raise _NotAChat(f"message {place} has no text as content")


def _part(place: int, part: object) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    kind = part.get("type") if isinstance(part, dict) else "something else"
    raise _NotAChat(f"message {place} holds {kind}; only text can be learned from")
