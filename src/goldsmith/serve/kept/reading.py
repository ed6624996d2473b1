"""What was asked and answered, read out of the bytes that passed the gateway. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from goldsmith.serve.kept.redaction import hide
from goldsmith.serve.kept.types import Exchange
from goldsmith.storage.text import storable

MAX_CHARACTERS = 65_536
_DATA = b"data: "


@dataclass(frozen=True)
class Said:
    """An exchange as one reads it."""

    instructions: str
    earlier: str
    question: str
    answer: str
    answer_tokens: int | None
    num_hidden: int


def said(exchange: Exchange) -> Said | None:
    """What was asked and answered; None when it is no question with a whole answer in words."""
    request = _object(exchange.request)
    answer, tokens = _of_stream(exchange.answer) if exchange.is_stream else _of_whole(_object(exchange.answer))
    instructions, earlier, question = _asked(request)
    if not question or not answer or max(map(len, (instructions, earlier, question, answer))) > MAX_CHARACTERS:
        return None
    texts, num_hidden = [], 0
    for text in (instructions, earlier, question, answer):
        found, number = hide(storable(text), exchange.hides)
        texts.append(found)
        num_hidden += number
    return Said(texts[0], texts[1], texts[2], texts[3], tokens, num_hidden)


def _asked(request: Mapping[str, Any]) -> tuple[str, str, str]:
    """Instructions, what was said before, and the question."""
    messages = request.get("messages", request.get("input"))
    if isinstance(messages, list):
        turns = [(str(each.get("role")), _text(each.get("content"))) for each in messages if isinstance(each, dict)]
        system = "\n".join(text for role, text in turns if role in ("system", "developer"))
        rest = [(role, text) for role, text in turns if role not in ("system", "developer") and text]
        if not rest or rest[-1][0] != "user":
            return system, "", ""
        return system, "\n".join(f"{role}: {text}" for role, text in rest[:-1]), rest[-1][1]
    prompt = request.get("prompt", request.get("input"))
    return str(request.get("instructions") or ""), "", prompt if isinstance(prompt, str) else ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)
    return ""


def _of_whole(answer: Mapping[str, Any]) -> tuple[str, int | None]:
    text = "".join(_pieces(answer, "message"))
    for item in answer.get("output", []) if isinstance(answer.get("output"), list) else []:
        text += _text(item.get("content")) if isinstance(item, dict) else ""
    return text, _tokens(answer)


def _of_stream(content: bytes) -> tuple[str, int | None]:
    """The pieces of a stream put together; nothing when it ended with an error."""
    texts: list[str] = []
    tokens: int | None = None
    for line in content.split(b"\n"):
        event = _object(line[len(_DATA) :]) if line.startswith(_DATA) else {}
        if "error" in event:
            return "", None
        texts += _pieces(event, "delta")
        if event.get("type") == "response.output_text.delta":
            texts.append(str(event.get("delta", "")))
        tokens = _tokens(event) or tokens
    return "".join(texts), tokens


def _pieces(said_now: Mapping[str, Any], part: str) -> Iterator[str]:
    """What the first choice says here."""
    for choice in said_now.get("choices") or []:
        if isinstance(choice, dict) and choice.get("index", 0) == 0:
            inner = choice.get(part)
            text = inner.get("content") if isinstance(inner, dict) else choice.get("text")
            yield text if isinstance(text, str) else ""


def _tokens(said_now: Mapping[str, Any]) -> int | None:
    usage = said_now.get("usage")
    if not isinstance(usage, dict):
        return None
    found = usage.get("completion_tokens", usage.get("output_tokens"))
    return found if isinstance(found, int) else None


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
