"""Asks a Goldsmith that is just starting for what it must answer: called by `wheel.sh` with its address and a key.

Only the standard library, because it runs in the wheel's environment. Ends with 3 when all is well, but slow.
"""

import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping

READY_WITHIN_S = 3.0
GIVEN_UP_AFTER_S = 20.0


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirects)


def ask(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    try:
        with OPENER.open(urllib.request.Request(url, headers=dict(headers or {})), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_until_alive(address: str, began: float) -> float:
    while time.monotonic() - began < GIVEN_UP_AFTER_S:
        try:
            if ask(f"{address}/healthz")[0] == 200:
                return time.monotonic() - began
        except OSError:
            time.sleep(0.02)
    sys.exit(f"{address}/healthz did not answer within {GIVEN_UP_AFTER_S:.0f} s")


def main() -> None:
    address, key = sys.argv[1:]
    taken_s = wait_until_alive(address, time.monotonic())
    print(f"   /healthz answered after {taken_s:.2f} s")
    pages = {path: ask(address + path, {"Accept": "text/html"}) for path in ("/", "/hello", "/activity")}
    unexpected = {path: status for path, (status, _) in pages.items() if status not in (200, 303)}
    if unexpected:
        sys.exit(f"pages answered {unexpected}")
    styles = re.findall(r'href="(/[^"]+\.css[^"]*)"', pages["/hello"][1])
    if not styles or ask(address + styles[0])[0] != 200:
        sys.exit(f"the page's style is missing: {styles}")
    status, body = ask(f"{address}/v1/jobs", {"Authorization": f"Bearer {key}"})
    if status != 200 or not isinstance(json.loads(body), dict | list):
        sys.exit(f"the API answered {status}: {body[:300]}")
    print("   pages, styles and the API answer")
    sys.exit(3 if taken_s > READY_WITHIN_S else 0)


if __name__ == "__main__":
    main()
