"""Where messages may go: public hosts over https, and hosts of one's own network that somebody has named.

Looked at when an address is saved, and again at every try: the connection goes to the very address that was looked at,
so a name that means something else a moment later leads nowhere. Redirects are not followed.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from goldsmith.webhooks.errors import AddressNotAllowed

MAX_CHARACTERS = 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Resolve = Callable[[str, int], list[str]]
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Place:
    """An address that was looked at: `ip` is what is connected to."""

    is_encrypted: bool
    host: str
    port: int
    path: str
    ip: str

    @property
    def host_header(self) -> str:
        """The host as HTTP names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_encrypted else 80) else f"{host}:{self.port}"


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def place_of(url: str, *, own_hosts: Collection[str] = (), look_up: Resolve = resolve) -> Place:
    """Where a message to this URL would go. Raises AddressNotAllowed."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise AddressNotAllowed(f"{url[:200]!r} is no address.") from error
    host = (parts.hostname or "").lower()
    is_usable = parts.scheme in ("http", "https") and host and not parts.username and not parts.fragment
    if not is_usable or not _is_plain(url.strip()):
        raise AddressNotAllowed(f"{url[:200]!r} is no address that a webhook can have.")
    is_own = host in {name.lower() for name in own_hosts}
    if parts.scheme != "https" and not is_own:
        raise AddressNotAllowed("The address begins with http, so everybody on the way could read the messages.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme == "https", host, port, path, _ip_of(host, port, is_own=is_own, look_up=look_up))


def is_public(ip: IpAddress) -> bool:
    """Whether an address is one of the open Internet, and hides none that is not."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(ip.ipv4_mapped)
        if ip.sixtofour is not None or ip.teredo is not None or ip in _NAT64:
            return False
    return ip.is_global and not ip.is_multicast


def _is_plain(url: str) -> bool:
    return len(url) <= MAX_CHARACTERS and url.isascii() and url.isprintable() and " " not in url


def _ip_of(host: str, port: int, *, is_own: bool, look_up: Resolve) -> str:
    try:
        ips = [ipaddress.ip_address(found.partition("%")[0]) for found in look_up(host, port)]
    except (OSError, ValueError) as error:
        raise AddressNotAllowed(f"The host {host} cannot be found.", hint="Look at how it is spelled.") from error
    if not ips:
        raise AddressNotAllowed(f"The host {host} has no address.", hint="Look at how it is spelled.")
    for ip in ips:
        if ip.is_link_local or not (is_own or is_public(ip)):
            raise AddressNotAllowed(f"The host {host} is at {ip}, which is not public.")
    return str(ips[0])
