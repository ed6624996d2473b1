"""Talks to one engine: is it healthy, what has it loaded, load and unload, tokens, answers, log-probabilities.

Async, because many requests are in flight at once; `call` is the front for everybody who is not. Knows no database. It
never asks for log-probabilities of a prompt: one such request beside any other kills a CPU engine with adapters.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from goldsmith.errors import GoldsmithError
from goldsmith.serve.errors import (
    AlreadyLoaded,
    EngineFailed,
    EngineKeyRefused,
    EngineNotAnswering,
    EngineRefused,
    LoadNotProved,
    ModelNotLoaded,
    RankNotServable,
)

if TYPE_CHECKING:
    import aiohttp

# No model can have such a name, so none of its cached blocks can ever be taken for ours.
_SALT_PREFIX = "goldsmith: "
_PROBE_TEXT = "1 2 3"
_METRIC = re.compile(r"^vllm:(\w+)(?:\{[^}]*\})?\s+([0-9.eE+-]+)$", re.MULTILINE)
_PROBLEMS: tuple[tuple[int, str, type[GoldsmithError]], ...] = (
    (400, "already been loaded|already exists", AlreadyLoaded),
    (400, "max_lora_rank", RankNotServable),
    (500, "max_lora_rank", RankNotServable),
    (401, "", EngineKeyRefused),
    (403, "", EngineKeyRefused),
    (404, "", ModelNotLoaded),
)
T = TypeVar("T")


@dataclass(frozen=True)
class ChatAnswer:
    """What came back for a chat."""

    text: str
    finish_reason: str
    prompt_tokens: int
    answer_tokens: int
    duration_s: float


@dataclass(frozen=True)
class Completion:
    """What came back for token ids."""

    token_ids: list[int]
    finish_reason: str
    duration_s: float


@dataclass(frozen=True)
class Counters:
    """What the engine counts of itself."""

    generated_tokens: float
    num_running: int
    num_waiting: int


@dataclass(frozen=True)
class Score:
    """A token whose log-probability is asked for, behind these ids."""

    model: str
    prompt_ids: tuple[int, ...]
    token_id: int


def make_salt() -> str:
    """A fresh name for blocks that are shared with nobody."""
    return f"{_SALT_PREFIX}{secrets.token_hex(8)}"


class EngineClient:
    """One engine, as `async with EngineClient(url, key) as engine`."""

    def __init__(self, url: str, key: str | None = None, *, timeout_s: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None  # imported where it is used: it costs half a second

    async def __aenter__(self) -> Self:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=5)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout, trust_env=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def is_up(self) -> bool:
        """Whether its door is open. Says nothing about tokens."""
        try:
            await self._ask("GET", "/health")
        except GoldsmithError:
            return False
        return True

    async def health(self, model: str) -> float:
        """Ask for one real token, which is the only sign of health; returns the seconds that it took."""
        began = time.monotonic()
        body = {"model": model, "prompt": _PROBE_TEXT, "max_tokens": 1, "temperature": 0, "cache_salt": make_salt()}
        answer = await self._post("/v1/completions", body)
        if not answer.get("choices") or not answer.get("usage", {}).get("completion_tokens"):
            raise EngineFailed("The engine answered a request for a token without a token.")
        return time.monotonic() - began

    async def models(self) -> dict[str, str | None]:
        """The names that it lists, each with the name of its base model when it is an adapter."""
        listing = await self._ask("GET", "/v1/models")
        return {str(model["id"]): model.get("parent") for model in listing["data"]}

    async def load_adapter(self, name: str, path: Path) -> float:
        """Load an adapter and see it listed and answering; returns the seconds that all of this took."""
        began = time.monotonic()
        # By ourselves, before a crash between loading and recording: a name never gets other weights.
        with suppress(AlreadyLoaded):
            await self._post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(path)})
        if name not in await self.models():
            raise LoadNotProved(f"The engine said that {name} is loaded, but does not list it.")
        try:
            await self.health(name)
        except EngineNotAnswering:
            raise
        except GoldsmithError as error:
            raise LoadNotProved(f"{name} is listed, but gives no token: {error.message}") from error
        return time.monotonic() - began

    async def unload_adapter(self, name: str) -> None:
        """Take an adapter out; one that is not there is fine."""
        try:
            await self._post("/v1/unload_lora_adapter", {"lora_name": name})
        except ModelNotLoaded:
            return

    async def tokenize(self, model: str, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """The prompt of a chat as the engine sees it."""
        body = {"model": model, "messages": [dict(message) for message in messages], "add_generation_prompt": True}
        return [int(token) for token in (await self._post("/tokenize", body))["tokens"]]

    async def round_trip(self, model: str, token_ids: Sequence[int]) -> list[int]:
        """Token ids turned to text and back by the engine."""
        text = (await self._post("/detokenize", {"model": model, "tokens": list(token_ids)}))["prompt"]
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        return [int(token) for token in (await self._post("/tokenize", body))["tokens"]]

    async def chat(self, model: str, body: Mapping[str, Any]) -> ChatAnswer:
        """One answer to a chat; `body` is OpenAI's, without `model`."""
        began = time.monotonic()
        answer = await self._post("/v1/chat/completions", {**body, "model": model})
        choice, usage = answer["choices"][0], answer.get("usage") or {}
        return ChatAnswer(
            text=choice["message"].get("content") or "",
            finish_reason=choice.get("finish_reason") or "",
            prompt_tokens=int(usage.get("prompt_tokens", 0)),
            answer_tokens=int(usage.get("completion_tokens", 0)),
            duration_s=time.monotonic() - began,
        )

    async def complete(
        self, model: str, prompt_ids: Sequence[int], *, max_tokens: int, salt: str, is_whole_length: bool = False
    ) -> Completion:
        """What the model writes behind these ids, greedily; with `is_whole_length` it does not stop by itself."""
        began = time.monotonic()
        body = {"model": model, "prompt": list(prompt_ids), "max_tokens": max_tokens, "temperature": 0}
        if is_whole_length:
            body["ignore_eos"] = True
        answer = await self._post("/v1/completions", {**body, "return_token_ids": True, "cache_salt": salt})
        choice = answer["choices"][0]
        ids = [int(token) for token in choice.get("token_ids") or []]
        return Completion(ids, choice.get("finish_reason") or "", time.monotonic() - began)

    async def complete_all(
        self,
        model: str,
        prompts: Sequence[Sequence[int]],
        *,
        max_tokens: int,
        salt: str,
        is_whole_length: bool = False,
    ) -> list[Completion]:
        """What the model writes behind each of these, all at once."""
        asked = (
            self.complete(model, prompt, max_tokens=max_tokens, salt=salt, is_whole_length=is_whole_length)
            for prompt in prompts
        )
        return list(await asyncio.gather(*asked))

    async def token_logprob(self, score: Score, *, salt: str) -> float:
        """How likely the model finds a token behind these ids, in nats, before any mask."""
        body = {
            "model": score.model,
            "prompt": list(score.prompt_ids),
            "allowed_token_ids": [score.token_id],
            "max_tokens": 1,
            "logprobs": 1,
            "temperature": 0,
            "cache_salt": salt,
        }
        answer = await self._post("/v1/completions", body)
        return float(answer["choices"][0]["logprobs"]["token_logprobs"][0])

    async def token_logprobs(self, scores: Sequence[Score], *, salt: str, concurrency: int) -> list[float]:
        """Many log-probabilities, in the order in which they were asked for."""
        gate = asyncio.Semaphore(concurrency)

        async def one(score: Score) -> float:
            async with gate:
                return await self.token_logprob(score, salt=salt)

        return list(await asyncio.gather(*(one(score) for score in scores)))

    async def counters(self) -> Counters:
        """Generated tokens, and how many requests are at work or wait."""
        sums: dict[str, float] = {}
        for name, value in _METRIC.findall(await self._ask("GET", "/metrics")):
            sums[name] = sums.get(name, 0.0) + float(value)
        running, waiting = sums.get("num_requests_running", 0), sums.get("num_requests_waiting", 0)
        return Counters(sums.get("generation_tokens_total", 0.0), int(running), int(waiting))

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        import aiohttp

        if self._session is None:
            raise RuntimeError("use the client as: async with EngineClient(...) as engine")
        try:
            async with self._session.request(method, self._url + path, json=body, allow_redirects=False) as response:
                is_json = response.content_type == "application/json"
                content = await response.json() if is_json else await response.text()
                if response.status >= 300:
                    raise _problem(response.status, content)
                return content
        except TimeoutError as error:
            raise EngineNotAnswering(f"The engine at {self._url} gave no answer in time.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise EngineNotAnswering(f"The engine at {self._url} cannot be reached: {error}.") from error
        except ValueError as error:
            raise EngineFailed(f"The engine at {self._url} answered with something that is not JSON.") from error


def call(url: str, key: str | None, ask: Callable[[EngineClient], Awaitable[T]], *, timeout_s: float = 30.0) -> T:
    """Ask an engine from code that is not async; `timeout_s` is for each request."""

    async def run() -> T:
        async with EngineClient(url, key, timeout_s=timeout_s) as engine:
            return await ask(engine)

    return asyncio.run(run())


def _problem(status: int, content: Any) -> GoldsmithError:
    message = _message_of(content)
    for known, pattern, error in _PROBLEMS:
        if status == known and re.search(pattern, message):
            return error(f"The engine says: {message}")
    if status >= 500:
        return EngineFailed(f"The engine answered {status}: {message}")
    return EngineRefused(f"The engine answered {status}: {message}")


def _message_of(content: Any) -> str:
    if isinstance(content, Mapping):
        error = content.get("error", content)
        content = error.get("message", error) if isinstance(error, Mapping) else error
    return str(content)[:500]
