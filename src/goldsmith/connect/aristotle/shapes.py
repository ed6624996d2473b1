"""What a conquest was asked and what it answered, out of the three shapes of `data`. Pure.

>>> prompt_of({"prompt": "Is she right for us?"})
Asked(text='Is she right for us?', system_text=None)
>>> answer_of({"evaluation": {"recommendation": "Yes"}})
'{"evaluation": {"recommendation": "Yes"}}'
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SYSTEM_KEYS = ("system", "system_message", "systemMessage", "system_prompt", "systemPrompt")
CORRECTED_KEY = "corrected_response"
"""A text that somebody wrote in the answer's place; it stands beside what it corrects."""
_PROFILE = ("name", "current_role", "current_company", "education", "work_history")
_VERDICT = (
    *("recommendation", "trajectory_rating", "company_pedigree_rating", "educational_pedigree_rating"),
    "is_software_engineer",
)
_STATION = ("title", "company", "duration", "degree", "school")
_ORDER = {name: place for place, name in enumerate((*_PROFILE, "evaluation", *_VERDICT, *_STATION))}


@dataclass(frozen=True)
class Asked:
    """A prompt, with the system message where it was kept."""

    text: str
    system_text: str | None = None


def prompt_of(data: Any) -> Asked | None:
    """What was asked; None where there is nothing to ask."""
    data = _decoded(data)
    if isinstance(data, str):
        return Asked(data) if data.strip() else None
    if not isinstance(data, Mapping):
        return None
    system = next((data[key] for key in SYSTEM_KEYS if isinstance(data.get(key), str)), None)
    if "prompt" in data:
        inner = prompt_of(data["prompt"])
        return Asked(inner.text, inner.system_text if system is None else system) if inner else None
    if isinstance(data.get("messages"), list):
        return _of_messages(data["messages"])
    profile = {name: value for name, value in data.items() if name not in SYSTEM_KEYS}
    return Asked(as_json(profile), system) if _has_any(profile, _PROFILE) else None


def answer_of(data: Any) -> str | None:
    """The answer, a person's correction before what it corrects; None where there is none."""
    data = _decoded(data)
    if isinstance(data, str):
        return data if data.strip() else None
    if not isinstance(data, Mapping):
        return None
    corrected = data.get(CORRECTED_KEY)
    if isinstance(corrected, str) and corrected.strip():
        return corrected
    evaluation = data.get("evaluation")
    if isinstance(evaluation, Mapping) and _has_any(evaluation, evaluation):
        return as_json({"evaluation": evaluation})
    if "response" in data:
        inner = data["response"]
        return as_json(inner) if isinstance(inner, Mapping) and inner else answer_of(inner)
    return as_json(data) if _has_any(data, _VERDICT) else None


def _of_messages(messages: Sequence[Any]) -> Asked | None:
    """A chat of one question; longer ones are no conquests."""
    turns = [(turn.get("role"), turn.get("content")) for turn in messages if isinstance(turn, Mapping)]
    asked = [text for role, text in turns if role == "user" and isinstance(text, str) and text.strip()]
    system = next((text for role, text in turns if role in ("system", "developer") and isinstance(text, str)), None)
    return Asked(asked[0], system) if len(asked) == 1 else None


def _decoded(data: Any) -> Any:
    """JSON that was kept as a text is read; any other text is itself."""
    if isinstance(data, str) and data.lstrip()[:1] in ("{", '"'):
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            return data
        return found if isinstance(found, (dict, str)) else data
    return data


def _has_any(data: Mapping[str, Any], names: Any) -> bool:
    return any(data.get(name) not in (None, "", [], {}) for name in names)


def as_json(value: Any) -> str:
    """The same text for the same content: PostgreSQL keeps no order of keys."""
    return json.dumps(_ordered(value), ensure_ascii=False, default=str)


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
        return {name: _ordered(value[name]) for name in names}
    return [_ordered(each) for each in value] if isinstance(value, list) else value
