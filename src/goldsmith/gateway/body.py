"""A request's body on its way to an engine: read, refused or cleaned, and written anew for the target. Pure.

What reaches the engine is what was checked, never the bytes that came.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from goldsmith.gateway.endpoints import Endpoint
from goldsmith.gateway.errors import BodyNotJson, EndangersEngine, FieldNotAllowed, ValueNotAllowed
from goldsmith.serve.types import Target

MAX_DEPTH = 64
REFUSED: Final[Mapping[str, str]] = {
    "chat_template": "the model's own template is the one that it was trained with",
    "prompt_embeds": "engines would unpack what it holds",
    "documents": "it is made for templates that Goldsmith does not use",
    "kv_transfer_params": "it moves an engine's memory between machines",
    "vllm_xargs": "it reaches the inside of the engine",
    "priority": "it would push others aside",
    "cache_salt": "a salt that is another model's name mixes up their memories",
    "api_base": "requests go to the engines that Goldsmith knows",
    "base_url": "requests go to the engines that Goldsmith knows",
    "extra_headers": "engines get the headers that Goldsmith writes",
}
"""Names that are refused wherever they stand, with the reason."""
_SCHEMA_PLACES: Final = frozenset({"schema", "parameters", "json"})
_NAMES_OF_PEOPLE: Final = frozenset({"properties", "$defs", "definitions"})
_DEEP: Final = frozenset({dict, list})


class Place(NamedTuple):
    """Where in a body a value stands, as far as it matters for what it may be called."""

    depth: int = 0
    is_in_schema: bool = False
    has_names_of_people: bool = False

    def inside(self, name: str) -> "Place":
        """The place of what has this name here."""
        is_theirs = self.is_in_schema and not self.has_names_of_people and name in _NAMES_OF_PEOPLE
        return Place(self.depth + 1, self.is_in_schema or name in _SCHEMA_PLACES, is_theirs)


def read(raw: bytes) -> dict[str, Any]:
    """The body as an object. Raises BodyNotJson."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BodyNotJson(f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise BodyNotJson("The body is JSON, but not an object.")
    return body


def check(endpoint: Endpoint, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with what may be passed on. Raises FieldNotAllowed, ValueNotAllowed."""
    refuse_names(body)
    named = {name: value for name, value in body.items() if not (name == "model" and value == "")}
    checked: dict[str, Any] = endpoint.check(named, "")
    return checked


def for_target(endpoint: Endpoint, checked: Mapping[str, Any], target: Target) -> bytes:
    """The body that this target gets. Raises EndangersEngine; FieldNotAllowed for what a provider does not know."""
    if target.is_cpu_safe_needed:
        refuse_prompt_logprobs(checked)
    if not target.is_ours:
        for name in endpoint.engine_fields:
            if name in checked:
                raise FieldNotAllowed(f"{name} is a word of vLLM; this model is at an outside service.", param=name)
    return orjson.dumps({**checked, "model": target.model_name})


def refuse_prompt_logprobs(checked: Mapping[str, Any]) -> None:
    """On a processor one such request beside any other kills an engine with adapters."""
    asked = [checked[name] for name in ("logprobs", "top_logprobs") if name in checked]
    asks_by_echo = bool(checked.get("echo")) and any(value is not False for value in asked)  # 0 asks, too
    if asks_by_echo or "prompt_logprobs" in checked:
        name = "echo" if asks_by_echo else "prompt_logprobs"
        raise EndangersEngine(
            f"{name} asks for the log-probabilities of the prompt, which ends an engine that runs on a processor "
            "with adapters.",
            param=name,
        )


def refuse_names(body: Mapping[str, Any]) -> None:
    """Refuse what must not reach an engine, at any depth. Names that people gave to a schema's properties are theirs.

    Raises FieldNotAllowed, ValueNotAllowed.
    """
    if not _may_be_refused(body):
        return
    waiting: list[tuple[Any, str, Place]] = [(body, "", Place())]
    while waiting:
        value, where, place = waiting.pop()
        if place.depth > MAX_DEPTH:
            raise ValueNotAllowed(f"The body is more than {MAX_DEPTH} levels deep.", param=where[:100])
        if isinstance(value, list):
            inner = Place(place.depth + 1, place.is_in_schema)
            waiting.extend((item, f"{where}[{number}]", inner) for number, item in enumerate(value) if _is_deep(item))
        elif isinstance(value, dict):
            for name, item in value.items():
                path = f"{where}.{name}" if where else name
                if name in REFUSED and not place.has_names_of_people:
                    raise FieldNotAllowed(f"{path[:200]} is refused: {REFUSED[name]}.", param=path[:200])
                if _is_deep(item):
                    waiting.append((item, path, place.inside(name)))


def _may_be_refused(body: Mapping[str, Any]) -> bool:
    """Whether a name that is refused stands anywhere, or it is too deep. Quick, and says no of most bodies."""
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for value in level:
            items = value
            if isinstance(value, dict):
                if not REFUSED.keys().isdisjoint(value):
                    return True
                items = value.values()
            inner += [item for item in items if type(item) in _DEEP]
        if not inner:
            return False
        level = inner
    return True


def _is_deep(value: Any) -> bool:
    return isinstance(value, dict | list)
