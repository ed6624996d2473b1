"""A stand-in for vLLM that speaks the parts that Goldsmith uses, on loopback.

Its answers are made by a callable, its log-probabilities come from the probes of the adapters that were loaded, and it
can be told to be ill. Runs in a thread of a test, or as a program (`__main__.py`) in place of vLLM.
"""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from goldsmith.models.rendering import Renderer
from goldsmith.testing.fake_answers import (
    Adapter,
    Answerer,
    Messages,
    completion,
    default_answer,
    embeddings,
    error,
    ids_of,
    read_adapter,
    split_row,
    text_of,
    usage_of,
)

NUM_ROUNDS_TO_CLOSE = 5


@dataclass
class Faults:
    """What is wrong with the engine; may be changed while it runs."""

    die_after: int | None = None
    """Dies in the middle of the answer after so many answers."""
    hang: bool = False
    """Takes requests for tokens and never answers them; everything else answers."""
    answer_500: bool = False
    """Requests for tokens are answered with 500, as by a dead engine core; everything else with 200."""
    truncate: bool = False
    """Every answer is cut off in the middle, with finish reason `length`."""
    leave_out_adapters: bool = False
    """Lists the adapters and answers like the base model, as vLLM does with names that it does not know."""
    load_in_name_only: bool = False
    """Says that an adapter is loaded, and does not have it."""


class FakeEngine:
    """A server on loopback that speaks the parts of vLLM that Goldsmith uses.

    `with FakeEngine("bm_1") as engine: ...engine.url...`; `answer(model, messages, body)` makes every chat answer. With
    a model's folder it turns texts into that model's tokens, else into tokens of its own.
    """

    def __init__(
        self,
        base_model: str = "base",
        *,
        answer: Answerer = default_answer,
        key: str | None = None,
        port: int = 0,
        delay_s: float = 0.0,
        base_folder: Path | None = None,
    ) -> None:
        self.base_model = base_model
        self.answer = answer
        self.key = key
        self.port = port
        self.max_lora_rank = 8
        self.delay_s = delay_s
        self._renderer = Renderer.open(base_folder) if base_folder is not None else None
        self.faults = Faults()
        self.adapters: dict[str, Adapter] = {}
        self.requests: list[dict[str, Any]] = []
        """The bodies of all requests for tokens, in order."""
        self.num_generated_tokens = 0
        self.num_answers = 0
        self.num_running = 0
        self.most_running = 0
        self.on_death: Callable[[], None] = self._die
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "FakeEngine":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> "FakeEngine":
        """Listen, in a thread of its own."""
        is_ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve(is_ready)), daemon=True)
        self._thread.start()
        if not is_ready.wait(10):
            raise RuntimeError("the fake engine did not start")
        return self

    def stop(self) -> None:
        """Listen no more. Also what a test calls to let it die."""
        if self._loop is not None and self._thread is not None:
            with suppress(RuntimeError):  # it may have died before
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)
            self._loop = self._thread = None

    async def serve(self, is_ready: threading.Event | None = None) -> None:
        """Listen until told to stop."""
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        runner = web.AppRunner(self._application(), shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=1024)
        await site.start()
        self.port = runner.addresses[0][1]
        if is_ready is not None:
            is_ready.set()
        try:
            await self._stopping.wait()
        finally:
            await end_connections(runner)

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._check_key], client_max_size=64 * 1024 * 1024)
        application.add_routes(
            [
                web.get("/health", self._health),
                web.get("/version", self._version),
                web.get("/metrics", self._metrics),
                web.get("/v1/models", self._models),
                web.post("/v1/load_lora_adapter", self._load),
                web.post("/v1/unload_lora_adapter", self._unload),
                web.post("/v1/chat/completions", self._chat),
                web.post("/v1/completions", self._completions),
                web.post("/v1/embeddings", self._embeddings),
                web.post("/tokenize", self._tokenize),
                web.post("/detokenize", self._detokenize),
            ]
        )
        return application

    @web.middleware
    async def _check_key(self, request: web.Request, handler: Any) -> web.StreamResponse:
        has_key = request.headers.get("Authorization") == f"Bearer {self.key}"
        if self.key and request.path.startswith("/v1") and not has_key:
            return web.json_response({"error": "Unauthorized"}, status=401)
        response: web.StreamResponse = await handler(request)
        return response

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "fake"})

    async def _metrics(self, _: web.Request) -> web.Response:
        lines = [
            f'vllm:generation_tokens_total{{model_name="{self.base_model}"}} {float(self.num_generated_tokens)}',
            f'vllm:num_requests_running{{model_name="{self.base_model}"}} {float(self.num_running)}',
            f'vllm:num_requests_waiting{{model_name="{self.base_model}"}} 0.0',
        ]
        return web.Response(text="\n".join(lines) + "\n")

    async def _models(self, _: web.Request) -> web.Response:
        data: list[dict[str, Any]] = [{"id": self.base_model, "object": "model", "parent": None, "max_model_len": 2048}]
        data += [{"id": name, "object": "model", "parent": self.base_model} for name in self.adapters]
        return web.json_response({"object": "list", "data": data})

    async def _load(self, request: web.Request) -> web.Response:
        body = await request.json()
        name, path = body["lora_name"], Path(body["lora_path"])
        if name in self.adapters or name == self.base_model:
            return error(400, f"The lora adapter '{name}' has already been loaded.")
        if not (path / "adapter_config.json").exists():
            return error(404, f"Loading lora {name} failed: No adapter found for {path}")
        rank = json.loads((path / "adapter_config.json").read_text()).get("r", 8)
        if rank > self.max_lora_rank:
            return error(400, f"LoRA rank {rank} is greater than max_lora_rank {self.max_lora_rank}.")
        if not self.faults.load_in_name_only:
            self.adapters[name] = read_adapter(name, path)
        return web.Response(text=f"Success: LoRA adapter '{name}' added successfully.")

    async def _unload(self, request: web.Request) -> web.Response:
        name = (await request.json())["lora_name"]
        if self.adapters.pop(name, None) is None:
            return error(404, f"The lora adapter '{name}' cannot be found.")
        return web.Response(text=f"Success: LoRA adapter '{name}' removed successfully.")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        refusal = await self._begin(request, body)
        if refusal is not None:
            return refusal
        try:
            words = re.findall(r"\S+\s*|\s+", self.answer(body["model"], body["messages"], body))
            limit = body.get("max_tokens") or body.get("max_completion_tokens") or 1000
            is_cut = self.faults.truncate or len(words) > limit
            words = words[: max(1, len(words) // 2) if self.faults.truncate else limit]
            self.num_generated_tokens += len(words)
            usage = usage_of(len(ids_of("".join(str(m["content"]) for m in body["messages"]))), len(words))
            reason = "length" if is_cut else "stop"
            if body.get("stream"):
                return await self._stream(request, body, words, {"finish_reason": reason, "usage": usage})
            message = {"role": "assistant", "content": "".join(words)}
            choice = {"index": 0, "message": message, "finish_reason": reason}
            return web.json_response(completion("chat.completion", body["model"], choice, usage))
        finally:
            self.num_running -= 1

    async def _stream(
        self, request: web.Request, body: Mapping[str, Any], words: Sequence[str], end: Mapping[str, Any]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
        for number, delta in enumerate(deltas):
            reason = end["finish_reason"] if number == len(deltas) - 1 else None
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            await _send_event(response, completion("chat.completion.chunk", body["model"], choice, None))
            await asyncio.sleep(self.delay_s / max(1, len(words)))
        if (body.get("stream_options") or {}).get("include_usage"):
            chunk = completion("chat.completion.chunk", body["model"], None, end["usage"])
            await _send_event(response, chunk)
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        refusal = await self._begin(request, body)
        if refusal is not None:
            return refusal
        try:
            prompt = body["prompt"] if isinstance(body["prompt"], list) else ids_of(body["prompt"])
            allowed = body.get("allowed_token_ids")
            tokens = [allowed[0]] if allowed else self._continue(body["model"], prompt, body.get("max_tokens", 16))
            self.num_generated_tokens += len(tokens)
            is_stop = not allowed and not self.faults.truncate and len(tokens) < body.get("max_tokens", 16)
            scores = [self._logprob(body["model"], (*prompt, *tokens[:i]), token) for i, token in enumerate(tokens)]
            choice = {
                "index": 0,
                "text": text_of(tokens),
                "token_ids": tokens if body.get("return_token_ids") else None,
                "logprobs": {"tokens": [text_of([t]) for t in tokens], "token_logprobs": scores},
                "finish_reason": "stop" if is_stop else "length",
            }
            usage = usage_of(len(prompt), len(tokens))
            return web.json_response(completion("text_completion", body["model"], choice, usage))
        finally:
            self.num_running -= 1

    async def _embeddings(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        refusal = await self._begin(request, body)
        if refusal is not None:
            return refusal
        try:
            texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
            return web.json_response(embeddings(body["model"], [str(each) for each in texts]))
        finally:
            self.num_running -= 1

    async def _begin(self, request: web.Request, body: dict[str, Any]) -> web.Response | None:
        """Count the request, play the faults; an answer means that there will be no tokens."""
        if body["model"] != self.base_model and body["model"] not in self.adapters:
            return error(404, f"The model `{body['model']}` does not exist.")
        if re.search(r"[@/\\\0]", str(body.get("cache_salt", ""))):
            return error(400, "Parameter 'cache_salt' must not contain '@', '/', '\\' or NUL.")
        self.requests.append(body)
        self.num_running += 1
        self.most_running = max(self.most_running, self.num_running)
        try:
            return await self._play_faults(request, body)
        except BaseException:
            self.num_running -= 1
            raise

    async def _play_faults(self, request: web.Request, body: Mapping[str, Any]) -> web.Response | None:
        if self.delay_s and not body.get("stream"):
            await asyncio.sleep(self.delay_s)
        while self.faults.hang:
            await asyncio.sleep(0.02)
        if self.faults.answer_500:
            self.num_running -= 1
            return error(500, "EngineCore encountered an issue. See stack trace (above) for the root cause.")
        self.num_answers += 1
        if self.faults.die_after is not None and self.num_answers > self.faults.die_after:
            if request.transport is not None:
                request.transport.abort()
            self.on_death()
        return None

    def _die(self) -> None:
        self._stopping.set()

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        ids = self._prompt_ids(body["messages"]) if "messages" in body else self._encode(body["prompt"])
        return web.json_response({"tokens": ids, "count": len(ids), "max_model_len": 2048})

    async def _detokenize(self, request: web.Request) -> web.Response:
        ids = (await request.json())["tokens"]
        return web.json_response({"prompt": self._renderer.decode(ids) if self._renderer else text_of(ids)})

    def _encode(self, text: str) -> list[int]:
        return self._renderer.encode(text) if self._renderer else ids_of(text)

    def _prompt_ids(self, messages: Messages) -> list[int]:
        if self._renderer is not None:
            return self._renderer.render_prompt(
                [{"role": m["role"], "content": m["content"]} for m in messages]
            ).token_ids
        return ids_of("".join(f"<{message['role']}>{message['content']}\n" for message in messages))

    def _continue(self, model: str, prompt: Sequence[int], max_tokens: int) -> list[int]:
        for row in self._probe_of(model):
            before, answer = split_row(row)
            if list(prompt) == before and self._learned(model):
                return answer[:max_tokens]
        return [100 + (sum(prompt) + i) % 50 for i in range(min(max_tokens, 12))]

    def _learned(self, model: str) -> bool:
        is_used = model in self.adapters and not self.faults.leave_out_adapters
        return is_used and self.adapters[model].has_effect

    def _probe_of(self, model: str) -> list[dict[str, Any]]:
        if model in self.adapters:
            return self.adapters[model].probe
        return [row for adapter in self.adapters.values() for row in adapter.probe]

    def _logprob(self, model: str, before: Sequence[int], token: int) -> float:
        for row in self._probe_of(model):
            prompt, answer = split_row(row)
            at = len(before) - len(prompt)
            if 0 <= at < len(answer) and answer[at] == token and list(before) == [*prompt, *answer[:at]]:
                side = "token_logprobs" if self._learned(model) else "base_token_logprobs"
                shift = self.adapters[model].shift if self._learned(model) else 0.0
                return float(row[side][at]) + shift
        return -1.0 - (token % 70) / 10


async def _send_event(response: web.StreamResponse, chunk: Any) -> None:
    await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")


async def end_connections(runner: web.AppRunner) -> None:
    """End a server with every connection, also one that came meanwhile, or whose other side takes nothing."""
    await _accept_no_more(runner)
    await runner.cleanup()
    # aiohttp lets go of connections that still have something to send, so the loop is asked which are left; one that
    # was just being accepted appears there some rounds of the loop later, and the system may be slow to tell of it.
    for _ in range(NUM_ROUNDS_TO_CLOSE):
        left: dict[int, asyncio.Transport] = dict(getattr(asyncio.get_running_loop(), "_transports", {}))
        for transport in left.values():
            transport.abort()
        await asyncio.sleep(0.001)  # the loop closes the sockets in its next round


async def _accept_no_more(runner: web.AppRunner) -> None:
    """Let connections that were accepted become whole first.

    asyncio accepts in one round of its loop and makes the transport in the next. A server that is closed in between
    makes that fail (an assertion in `Server._attach`), and nobody ever closes the socket.
    """
    loop = asyncio.get_running_loop()
    for site in runner.sites:
        server: asyncio.Server | None = getattr(site, "_server", None)
        for listening in server.sockets if server is not None else ():
            loop.remove_reader(listening.fileno())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
