"""What was tried out, as it goes from page to page: a question, and what each side answered. Pure.

Nothing of it is in the database before somebody marks it, so the page itself carries it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from goldsmith.run.types import CUT_OFF
from goldsmith.stars import playground
from goldsmith.web.answers import MAX_NUMBER, Text
from goldsmith.web.format import counted

MAX_CHARACTERS = 65_536
MAX_SIDES = 2
Short = Annotated[Text, Field(max_length=255)]
Count = Annotated[int | None, Field(ge=0, le=2**31 - 1)]
_ENDS = {"stop": "ended by itself", CUT_OFF: "cut off at the longest length", "tool_calls": "asks for a tool"}


class Heard(Protocol):
    """What the gateway said."""

    status: int
    headers: dict[str, str]
    body: bytes
    duration_ms: float


class Side(BaseModel):
    """One model, and what it wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: Short = ""
    """The name by which it was asked; empty: nobody was."""
    model_id: Short = ""
    """Which model answered under that name."""
    engine_id: Short = ""
    text: Annotated[Text, Field(max_length=MAX_CHARACTERS)] = ""
    error: Annotated[Text, Field(max_length=2000)] = ""
    prompt_tokens: Count = None
    answer_tokens: Count = None
    duration_ms: Annotated[float | None, Field(ge=0, le=MAX_NUMBER)] = None
    finish_reason: Annotated[Text, Field(max_length=32)] = ""
    answer_id: Annotated[Text, Field(max_length=64)] = ""
    """Set once it is kept."""
    is_star: bool = False
    correction: Annotated[Text | None, Field(max_length=MAX_CHARACTERS)] = None

    @property
    def is_answered(self) -> bool:
        """Whether there is something to say about it."""
        return bool(self.model_id) and bool(self.text or self.error)

    @property
    def facts(self) -> str:
        """Tokens, time, and how it ended."""
        if not self.is_answered:
            return ""
        time = f"{self.duration_ms:,.0f} ms" if self.duration_ms is not None else "time not measured"
        tokens = counted(self.answer_tokens, "token") if self.answer_tokens is not None else "tokens not counted"
        end = "" if self.error else _ENDS.get(self.finish_reason, self.finish_reason or "it does not say why it ended")
        return ", ".join(part for part in (tokens, time, end) if part)


class Tried(BaseModel):
    """One question to both sides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Annotated[Text, Field(max_length=MAX_CHARACTERS)] = ""
    system_text: Annotated[Text, Field(max_length=MAX_CHARACTERS)] = ""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    max_tokens: Annotated[int, Field(ge=1, le=32_768)] = 512
    sides: Annotated[tuple[Side, ...], Field(max_length=MAX_SIDES)] = (Side(), Side())

    def body(self, side: Side) -> dict[str, Any]:
        """The chat that a side is asked."""
        system = [{"role": "system", "content": self.system_text}] if self.system_text else []
        return {
            "model": side.asked,
            "messages": [*system, {"role": "user", "content": self.question}],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }

    def of(self, side: Side) -> playground.Tried:
        """One side as what can be kept."""
        return playground.Tried(
            question=self.question,
            system_text=self.system_text,
            model_id=side.model_id,
            engine_id=side.engine_id or None,
            text=side.text,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            prompt_tokens=side.prompt_tokens,
            answer_tokens=side.answer_tokens,
            duration_ms=side.duration_ms,
            finish_reason=side.finish_reason or None,
            error=side.error or None,
        )

    def with_side(self, number: int, side: Side) -> "Tried":
        """The same with another side."""
        sides = tuple(side if place == number else each for place, each in enumerate(self.sides))
        return self.model_copy(update={"sides": sides})

    def with_answers(self, heard: Sequence[Heard]) -> "Tried":
        """The same with what came back for the sides that were asked, in their order."""
        answers = iter(heard)
        return self.model_copy(
            update={"sides": tuple(answered(side, next(answers)) if side.asked else side for side in self.sides)}
        )


def answered(side: Side, heard: Heard) -> Side:
    """A side with its answer, or with why there is none."""
    parsed = _parsed(heard.body)
    who = {
        "model_id": heard.headers.get("x-goldsmith-model", ""),
        "engine_id": heard.headers.get("x-goldsmith-engine", ""),
        "duration_ms": round(heard.duration_ms, 1),
    }
    choice = _first_choice(parsed)
    if heard.status != 200 or choice is None:
        error = parsed.get("error")
        told = error.get("message") if isinstance(error, Mapping) else None
        return side.model_copy(update={**who, "error": str(told or "The engine sent no answer.")[:2000]})
    usage = parsed.get("usage") or {}
    return side.model_copy(
        update={
            **who,
            "text": str(choice["message"].get("content") or "")[:MAX_CHARACTERS],
            "finish_reason": str(choice.get("finish_reason") or "")[:32],
            "prompt_tokens": usage.get("prompt_tokens"),
            "answer_tokens": usage.get("completion_tokens"),
        }
    )


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _first_choice(parsed: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices = parsed.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) and isinstance(first.get("message"), dict) else None
