"""The port of the pages: a socket on loopback, or who has it. Light, because `goldsmith up` asks before it starts."""

import errno
import socket
from contextlib import suppress
from typing import Final

import psutil

from goldsmith.web.errors import PortTaken

LOOPBACK: Final = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A socket on loopback; port 0: any free one. Raises PortTaken."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOOPBACK, port))
    except OSError as error:
        found.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortTaken(f"Nothing can listen on port {port} of {LOOPBACK}: {_because(port, error)}.") from error
        raise
    return found


def check_free(port: int) -> None:
    """Raise PortTaken when nothing could listen there now."""
    listen(port).close()


def owner_of(port: int) -> psutil.Process | None:
    """The process that listens there; None when this user may not see it."""
    with suppress(psutil.Error):  # it may be gone meanwhile
        for found in psutil.net_connections(kind="tcp"):
            is_there = found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port
            if is_there and found.pid:
                return psutil.Process(found.pid)
    return None


def _because(port: int, error: OSError) -> str:
    """Who listens there, as far as this user may know."""
    with suppress(psutil.Error):
        owner = owner_of(port)
        if owner is not None:
            return f"{owner.name()} (process {owner.pid}) listens there"
    return error.strerror or str(error)
