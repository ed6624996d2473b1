"""Serves the web application on loopback. Called by `goldsmith web`."""

import socket
from typing import Final

import uvicorn
from fastapi import FastAPI

from goldsmith.web.connection import Connection
from goldsmith.web.port import listen

KEEP_S: Final = 75
"""How long a connection is kept that nobody uses: longer than usual clients and proxies keep it (4 to 60 s), so that
they let go first, and none of them sends a request just as it is closed here."""
GRACE_S: Final = 5
"""How long answers that are on their way may take once the server is told to end."""


class Server(uvicorn.Server):
    """Ends event streams first, because they would never end by themselves."""

    def __init__(self, web: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._web = web

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, let go of everybody who only listens, and wait for the rest."""
        self._web.state.stream.close()
        await super().shutdown(sockets)


def make_server(web: FastAPI) -> Server:
    """The server, not started yet."""
    config = uvicorn.Config(
        web,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_config=None,
        timeout_keep_alive=KEEP_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(web, config)


def serve(web: FastAPI, *, port: int) -> None:
    """Serve until told to stop. Raises PortTaken."""
    make_server(web).run(sockets=[listen(port)])
