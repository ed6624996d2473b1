"""A connection to the very address that was looked at, whatever its name means by now."""

import http.client
import socket
import ssl
from functools import cache

from goldsmith.webhooks.addresses import Place


class Pinned(http.client.HTTPConnection):
    """A connection to one address."""

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


@cache
def trusted() -> ssl.SSLContext:
    """What this machine trusts."""
    return ssl.create_default_context()
