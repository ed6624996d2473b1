"""Sends one message to the address that was looked at, within seconds; of the answer only the status is read."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache

from goldsmith.errors import GoldsmithError
from goldsmith.webhooks.addresses import Place
from goldsmith.webhooks.types import Outcome

WITHIN_S = 15.0
_USER_AGENT = "Goldsmith-Webhooks"


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever its name means by now."""

    def __init__(self, place: Place, context: ssl.SSLContext | None, within_s: float) -> None:
        super().__init__(place.host, place.port, timeout=within_s)
        self._place = place
        self._context = context

    def connect(self) -> None:
        """Connect to the address; over TLS the certificate has to be the name's."""
        self.sock = socket.create_connection((self._place.ip, self._place.port), self.timeout)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self._place.host)

    def break_off(self) -> None:
        """End it from another thread."""
        if self.sock is not None:
            self.sock.close()


def send(
    find: Callable[[], Place],
    headers: Mapping[str, str],
    body: bytes,
    *,
    within_s: float = WITHIN_S,
    context: ssl.SSLContext | None = None,
) -> Outcome:
    """Post a body to the place that `find` looks up now; what comes of it."""
    began = time.monotonic()

    def after(status: int | None = None, error: str = "") -> Outcome:
        return Outcome(1000 * (time.monotonic() - began), status, error)

    try:
        place = find()
    except GoldsmithError as error:
        return after(error=error.message)
    connection = _Pinned(place, (context or _trusted()) if place.is_encrypted else None, within_s)
    clock = threading.Timer(within_s, connection.break_off)
    clock.daemon = True
    clock.start()
    try:
        own = {"Host": place.host_header, "User-Agent": _USER_AGENT, "Content-Type": "application/json"}
        connection.request("POST", place.path, body, {**own, **headers})
        return after(status=connection.getresponse().status)
    except ssl.SSLError as error:
        return after(error=f"The connection cannot be trusted: {error.reason or 'no reason given'}.")
    except TimeoutError:
        return after(error=f"It did not answer within {within_s:g} s.")
    except (OSError, http.client.HTTPException, ValueError) as error:
        is_late = time.monotonic() - began >= within_s
        words = (
            f"It did not answer within {within_s:g} s." if is_late else f"It cannot be reached: {type(error).__name__}."
        )
        return after(error=words)
    finally:
        clock.cancel()
        connection.close()


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
