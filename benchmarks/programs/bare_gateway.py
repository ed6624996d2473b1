"""The least that can stand between callers and an engine: our server and our client, and nothing in between.

No key is asked for, nothing is checked, chosen, counted or limited. What a gateway costs beyond this is its own.

    python -m benchmarks.programs.bare_gateway PORT ENGINE_PORT
"""

import sys
from typing import Any

import uvicorn

from goldsmith.gateway.upstream import Client
from goldsmith.web.connection import Connection
from goldsmith.web.port import listen

MAX_BYTES = 1_000_000


class BareGateway:
    """Passes every chat on as it is."""

    def __init__(self, engine_port: int) -> None:
        self._address = f"http://127.0.0.1:{engine_port}/v1/chat/completions"
        self._client = Client()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        parts, has_more = [], True
        while has_more:
            message = await receive()
            parts.append(message.get("body", b""))
            has_more = message.get("more_body", False)
        content = b"ok" if scope["path"] == "/healthz" else await self._answer(b"".join(parts))
        length = str(len(content)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, body: bytes) -> bytes:
        with await self._client.post(self._address, body, {"content-type": "application/json"}) as reply:
            return await reply.read(MAX_BYTES)


if __name__ == "__main__":
    port, engine_port = (int(argument) for argument in sys.argv[1:3])
    config = uvicorn.Config(
        BareGateway(engine_port), loop="uvloop", http=Connection, ws="none", lifespan="off", log_config=None
    )
    uvicorn.Server(config).run(sockets=[listen(port)])
