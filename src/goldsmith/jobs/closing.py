"""While a home folder is being closed, its supervisor claims nothing new. Held by `goldsmith down`.

It is a lock, not a mark: whoever holds it and is killed leaves nothing behind.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from goldsmith.storage.files import Home


@contextmanager
def closing(home: Home) -> Iterator[None]:
    """What waits keeps waiting, for as long as the block lasts."""
    with _path(home).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_closing(home: Home) -> bool:
    """Whether somebody closes this home folder now."""
    try:
        with _path(home).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _path(home: Home) -> Path:
    return home.run / "closing.lock"
