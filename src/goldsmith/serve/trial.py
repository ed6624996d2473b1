"""Tries an engine or an outside provider once: does it answer, with our key, for this model? Says it in one sentence.

Knows no database. What the other side wrote is never shown, only whether it answered and how fast: an address that
somebody typed must not become a way to read what stands behind it.
"""

from dataclasses import dataclass

from goldsmith.errors import GoldsmithError
from goldsmith.serve.engine_client import EngineClient, call
from goldsmith.serve.errors import (
    EngineFailed,
    EngineKeyRefused,
    EngineNotAnswering,
    EngineRefused,
    ModelNotLoaded,
)

WITHIN_S = 8.0
_QUESTION = {"messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 16, "temperature": 0}
_SENTENCES: dict[type[GoldsmithError], str] = {
    EngineKeyRefused: "It refuses the key. Make a new key there, and add it here again with that one.",
    ModelNotLoaded: "It answers, but has no model of this name at this address. Check the name and the address.",
    EngineRefused: "It answers, but refuses a short question. Check the name of the model: it must be one that chats.",
    EngineNotAnswering: f"Nothing answers there within {WITHIN_S:.0f} s. Check the address, and the network.",
    EngineFailed: "It answers with an error of its own. Try again later, and check that the address is an API's.",
}


@dataclass(frozen=True)
class Trial:
    """What came of it."""

    is_ok: bool
    sentence: str


def try_once(url: str, key: str | None, model: str | None, *, within_s: float = WITHIN_S) -> Trial:
    """Ask one short question. `model` is its name there; None: whatever it lists first."""
    try:
        duration_s = call(url, key, lambda engine: _ask(engine, model), timeout_s=within_s)
    except tuple(_SENTENCES) as error:
        return Trial(False, next(words for kind, words in _SENTENCES.items() if isinstance(error, kind)))
    except (KeyError, IndexError, TypeError, ValueError):
        return Trial(False, "Something answers there, but not as OpenAI's API does. Check the address.")
    return Trial(True, f"It answered a short question in {duration_s:.2g} s.")


async def _ask(engine: EngineClient, model: str | None) -> float:
    name = model or next(iter(await engine.models()), "")
    return (await engine.chat(name, _QUESTION)).duration_s
