"""Prefixed ids, made in one place: `run_06FZ2C8K5Q7V3N9T1B4M` explains itself in a log line.

Twenty characters of Crockford's base 32: ten of milliseconds since 1970, ten random. So ids sort by the time they were
made, which is what paging by key needs.
"""

import secrets
import threading
import time
from enum import StrEnum

RANDOM_BITS = 50
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Prefix(StrEnum):
    """What an id is the id of."""

    PERSON = "per"
    KEY = "key"
    JOB = "job"
    DATASET = "ds"
    DATASET_VERSION = "dv"
    ROW = "row"
    BASE_MODEL = "bm"
    FINE_TUNED_MODEL = "ftm"
    ENGINE = "eng"
    DEPLOYMENT = "dep"
    HISTORY = "his"
    RECEIPT = "rec"
    PROMPT = "pr"
    PROMPT_VERSION = "pv"
    RUN = "run"
    ANSWER = "ans"
    TRAINING_SET = "set"
    COMPARISON = "cmp"
    ARM = "arm"
    SOURCE = "src"
    SOURCE_WRITE = "srcw"
    CONNECTION = "con"
    SYNC = "syn"
    OFFER = "off"
    EXECUTION = "exe"
    CONQUEST_RESULT = "cres"
    FILE = "file"
    BATCH = "batch"
    BATCH_REQUEST = "batch_req"
    UPLOAD = "upload"
    PART = "part"
    TRAFFIC_WRITER = "tw"
    ROLLOUT = "rol"
    WEBHOOK = "whk"
    MESSAGE = "msg"
    KEPT = "kept"
    TRAINING_GROUP = "tgr"
    LEARNING_CURVE = "crv"


class _Clock:
    """Moments in milliseconds with 50 random bits behind them, of which none is before the last one of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def next(self) -> tuple[int, int]:
        now = time.time_ns() // 1_000_000
        with self._lock:
            moment, random = self._last
            is_later = now > moment or random + 1 >= 2**RANDOM_BITS
            self._last = (max(now, moment + 1), secrets.randbits(RANDOM_BITS)) if is_later else (moment, random + 1)
            return self._last


_clock = _Clock()


def new_id(prefix: Prefix) -> str:
    """A new id, at most 30 characters, later ones sorting behind earlier ones; between processes to the millisecond."""
    moment, random = _clock.next()
    return f"{prefix.value}_{_base32(moment, 10)}{_base32(random, 10)}"


def _base32(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
