"""The one way to an engine: sends a body, and hands back what comes as it comes. Only our own headers go there.

What an answer means is decided here; connections are those of `upstream.py`, which can be replaced.
"""

import orjson

from goldsmith.errors import GoldsmithError
from goldsmith.gateway.answers import Answer, error_object, from_engine, is_end_of_stream, refused, what_is_wrong
from goldsmith.gateway.errors import EngineNotReady, EngineTooSlow, EngineUnreachable
from goldsmith.gateway.exchange import Back, Outgoing
from goldsmith.gateway.upstream import BrokenOff, Client, NotReached, Patience, Reply

MAX_AT_ONCE_BYTES = 1024 * 1024
"""An answer of known length up to this is read whole before anything is sent, so that a broken one becomes an error."""
MAX_WHOLE_BYTES = 64 * 1024 * 1024
MAX_LAST_WORD_BYTES = 4096
"""So much of a stream's end is looked at for its last word."""
MAX_ERROR_BYTES = 256 * 1024


class Forwarder:
    """One client of all engines, made in the loop that uses it."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._client = Client(patience)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def forward(self, request: Outgoing, back: Back) -> None:
        """See `Forwards`."""
        try:
            reply = await self._ask(request)
        except NotReached as error:
            raise EngineUnreachable("The engine of this model cannot be reached.") from error
        except TimeoutError:
            await back.answer(refused(self._too_slow()), request.headers)
        except BrokenOff:
            await back.answer(refused(_broken_off()), request.headers)
        else:
            with reply:
                await self._pass_on(request, reply, back)

    async def _ask(self, request: Outgoing) -> Reply:
        headers = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "goldsmith"}
        if request.key:
            headers["authorization"] = f"Bearer {request.key}"
        return await self._client.post(request.url.rstrip("/") + request.path, request.body, headers)

    async def _pass_on(self, request: Outgoing, reply: Reply, back: Back) -> None:
        if reply.status != 200:
            answer = await self._error(request, reply)
            await back.answer(answer, request.headers)
            return
        kind = reply.headers.get("content-type", "application/json")
        length = reply.length
        if kind.startswith("text/event-stream"):
            await self._stream(request, reply, back)
        elif length is None or length <= MAX_AT_ONCE_BYTES:
            await back.answer(await self._whole(request, reply, kind), request.headers)
        else:
            await back.start(200, {"content-type": kind, "content-length": str(length), **request.headers})
            # What breaks off here raises: the connection is cut, so that nobody takes the half for the whole.
            while chunk := await reply.chunk():
                await back.chunk(chunk, True)
            await back.chunk(b"", False)

    async def _stream(self, request: Outgoing, reply: Reply, back: Back) -> None:
        own = {"content-type": reply.headers["content-type"], "cache-control": "no-cache", "x-accel-buffering": "no"}
        await back.start(200, {**own, **request.headers})
        end = b""
        try:
            while chunk := await reply.chunk():
                await back.chunk(chunk, True)
                end = (end + chunk)[-MAX_LAST_WORD_BYTES:] if len(chunk) < MAX_LAST_WORD_BYTES else chunk
        except (BrokenOff, TimeoutError) as error:
            await back.chunk(_last_words(error), True)
        else:
            if not is_end_of_stream(request.path, end):
                await back.chunk(_last_words(BrokenOff()), True)
        await back.chunk(b"", False)

    async def _whole(self, request: Outgoing, reply: Reply, kind: str) -> Answer:
        try:
            content = await _read(reply)
        except TimeoutError:
            return refused(self._too_slow())
        except BrokenOff:
            return refused(_broken_off())
        nonsense = what_is_wrong(request.path, content)
        return Answer(200, content, {"content-type": kind}) if nonsense is None else refused(nonsense)

    async def _error(self, request: Outgoing, reply: Reply) -> Answer:
        try:
            body = await reply.read(MAX_ERROR_BYTES)
        except (BrokenOff, TimeoutError):
            body = b""
        answer = from_engine(reply.status, body, path=request.path)
        if isinstance(answer, EngineNotReady):
            raise EngineNotReady(answer.message, engine_id=request.engine_id)
        if isinstance(answer, GoldsmithError):
            return refused(answer)
        wait = reply.headers.get("retry-after", "")
        return Answer(answer.status, answer.body, {**answer.headers, **({"retry-after": wait} if wait else {})})

    def _too_slow(self) -> EngineTooSlow:
        return EngineTooSlow(f"The engine was silent for {self._client.patience.silent_s:g} s.")


async def _read(reply: Reply) -> bytes:
    """All of it. One that does not say how long it is may be so long at most that nobody's memory fills."""
    content = await reply.read(MAX_WHOLE_BYTES)
    if len(content) > MAX_WHOLE_BYTES:
        raise BrokenOff("the answer has no end")
    return content


def _broken_off() -> EngineUnreachable:
    return EngineUnreachable("The engine of this model broke the connection.")


def _last_words(error: Exception) -> bytes:
    is_slow = isinstance(error, TimeoutError)
    told = EngineTooSlow("The engine fell silent.") if is_slow else _broken_off()
    return b"data: " + orjson.dumps(error_object(told, 503)) + b"\n\n"
