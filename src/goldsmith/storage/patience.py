"""Waiting for a database that is away for a while, so that finished work is written and not done again.

Only work that may be done twice is handed in: a transaction whose end nobody heard of may have been kept.
"""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError

AWAY = (OperationalError, InterfaceError)
"""What the drivers raise when the database is not there; what is recorded is unchanged, or the commit was not heard."""
WAIT_S = 60.0
AGAIN_AFTER_S = 1.0
T = TypeVar("T")
log = logging.getLogger(__name__)


def until_it_answers(work: Callable[[], T], *, within_s: float = WAIT_S, again_after_s: float = AGAIN_AFTER_S) -> T:
    """Do `work`, and again while the database is away. Raises what the driver raised when it stays away."""
    end = time.monotonic() + within_s
    while True:
        try:
            return work()
        except AWAY as error:
            if time.monotonic() > end:
                raise
            log.warning("the database does not answer; what is done waits for it: %s", error.orig)
            time.sleep(again_after_s)
