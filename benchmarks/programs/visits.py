"""Somebody who loads the same page again and again: `python -m benchmarks.programs.visits PORT ADDRESS PER_S`."""

import sys
import time

from benchmarks.browsing import Browser


def main(port: int, address: str, per_s: float) -> None:
    """Until killed; a page that fails ends it."""
    browser = Browser(port, "Ada")
    at = time.monotonic()
    while True:
        status, _, _ = browser.get(address)
        if status != 200:
            raise SystemExit(f"{address} answered {status}")
        at += 1 / per_s
        time.sleep(max(0.0, at - time.monotonic()))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
