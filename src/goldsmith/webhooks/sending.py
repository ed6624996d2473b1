"""Sends one message to the address that was looked at, within seconds; of the answer only the status is read."""

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Mapping

from goldsmith.errors import GoldsmithError
from goldsmith.webhooks.addresses import Place
from goldsmith.webhooks.pinned import Pinned, trusted
from goldsmith.webhooks.types import Outcome

WITHIN_S = 15.0
_USER_AGENT = "Goldsmith-Webhooks"


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
    connection = Pinned(place, (context or trusted()) if place.is_encrypted else None, within_s)
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
