"""The one way to an engine: sends a body, and hands back what comes as it comes. Only our own headers go there.

The client behind it can be replaced; nobody else knows aiohttp.
"""

from contextlib import suppress
from dataclasses import dataclass

import aiohttp
import orjson

from goldsmith.errors import GoldsmithError
from goldsmith.gateway.answers import Answer, error_object, from_engine, is_end_of_stream, refused, what_is_wrong
from goldsmith.gateway.errors import EngineNotReady, EngineTooSlow, EngineUnreachable
from goldsmith.gateway.exchange import Back, Outgoing

MAX_AT_ONCE_BYTES = 1024 * 1024
"""An answer of known length up to this is read whole before anything is sent, so that a broken one becomes an error."""
MAX_WHOLE_BYTES = 64 * 1024 * 1024
MAX_LAST_WORD_BYTES = 4096
"""So much of a stream's end is looked at for its last word."""
MAX_ERROR_BYTES = 256 * 1024
NUM_TRIES = 2


@dataclass(frozen=True)
class Patience:
    """How long an engine may be silent. A connection is let go before vLLM would close it (5 s)."""

    connect_s: float = 5.0
    silent_s: float = 600.0
    idle_s: float = 4.0


class Forwarder:
    """One session to all engines, made in the loop that uses it."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def forward(self, request: Outgoing, back: Back) -> None:
        """See `Forwards`."""
        try:
            response = await self._answering(request)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise _unreachable(error) from error
        except TimeoutError:
            await back.answer(refused(self._too_slow()), request.headers)
        except (aiohttp.ClientError, OSError) as error:
            await back.answer(refused(_unreachable(error)), request.headers)
        else:
            async with response:
                await self._pass_on(request, response, back)

    async def _answering(self, request: Outgoing) -> aiohttp.ClientResponse:
        for _ in range(NUM_TRIES - 1):
            # Because the engine may close a kept connection just as it is used again.
            with suppress(aiohttp.ServerDisconnectedError, ConnectionResetError):
                return await self._ask(request)
        return await self._ask(request)

    async def _ask(self, request: Outgoing) -> aiohttp.ClientResponse:
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "goldsmith"}
        if request.key:
            headers["Authorization"] = f"Bearer {request.key}"
        url = request.url.rstrip("/") + request.path
        return await self._open().post(url, data=request.body, headers=headers, allow_redirects=False)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            patience = self._patience
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=patience.connect_s, sock_read=patience.silent_s)
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=patience.idle_s)
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar, trust_env=False)
        return self._session

    async def _pass_on(self, request: Outgoing, response: aiohttp.ClientResponse, back: Back) -> None:
        if response.status != 200:
            answer = await self._error(request, response)
            await back.answer(answer, request.headers)
            return
        kind = response.headers.get("Content-Type", "application/json")
        length = response.content_length
        if kind.startswith("text/event-stream"):
            await self._stream(request, response, back)
        elif length is None or length <= MAX_AT_ONCE_BYTES:
            await back.answer(await self._whole(request, response, kind), request.headers)
        else:
            await back.start(200, {"content-type": kind, "content-length": str(length), **request.headers})
            # What breaks off here raises: the connection is cut, so that nobody takes the half for the whole.
            async for chunk in response.content.iter_any():
                await back.chunk(chunk, True)
            await back.chunk(b"", False)

    async def _stream(self, request: Outgoing, response: aiohttp.ClientResponse, back: Back) -> None:
        own = {"content-type": response.headers["Content-Type"], "cache-control": "no-cache", "x-accel-buffering": "no"}
        await back.start(200, {**own, **request.headers})
        end = b""
        try:
            async for chunk in response.content.iter_any():
                await back.chunk(chunk, True)
                end = (end + chunk)[-MAX_LAST_WORD_BYTES:] if len(chunk) < MAX_LAST_WORD_BYTES else chunk
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await back.chunk(_last_words(error), True)
        else:
            if not is_end_of_stream(request.path, end):
                await back.chunk(_last_words(aiohttp.ServerDisconnectedError()), True)
        await back.chunk(b"", False)

    async def _whole(self, request: Outgoing, response: aiohttp.ClientResponse, kind: str) -> Answer:
        try:
            content = await _read(response)
        except TimeoutError:
            return refused(self._too_slow())
        except (aiohttp.ClientError, OSError) as error:
            return refused(_unreachable(error))
        nonsense = what_is_wrong(request.path, content)
        return Answer(200, content, {"content-type": kind}) if nonsense is None else refused(nonsense)

    async def _error(self, request: Outgoing, response: aiohttp.ClientResponse) -> Answer:
        try:
            body = await response.content.read(MAX_ERROR_BYTES)
        except (aiohttp.ClientError, OSError, TimeoutError):
            body = b""
        answer = from_engine(response.status, body, path=request.path)
        if isinstance(answer, EngineNotReady):
            raise EngineNotReady(answer.message, engine_id=request.engine_id)
        if isinstance(answer, GoldsmithError):
            return refused(answer)
        wait = response.headers.get("Retry-After", "")
        return Answer(answer.status, answer.body, {**answer.headers, **({"retry-after": wait} if wait else {})})

    def _too_slow(self) -> EngineTooSlow:
        return EngineTooSlow(f"The engine was silent for {self._patience.silent_s:g} s.")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """All of it. One that does not say how long it is may be so long at most that nobody's memory fills."""
    if response.content_length is not None:
        return await response.read()
    parts, num_bytes = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        num_bytes += len(part)
        if num_bytes > MAX_WHOLE_BYTES:
            raise aiohttp.ClientPayloadError("the answer has no end")
    return b"".join(parts)


def _unreachable(error: BaseException) -> EngineUnreachable:
    words = "broke the connection" if isinstance(error, aiohttp.ServerDisconnectedError) else "cannot be reached"
    return EngineUnreachable(f"The engine of this model {words}.")


def _last_words(error: BaseException) -> bytes:
    is_slow = isinstance(error, TimeoutError)
    told = EngineTooSlow("The engine fell silent.") if is_slow else _unreachable(aiohttp.ServerDisconnectedError())
    return b"data: " + orjson.dumps(error_object(told, 503)) + b"\n\n"
