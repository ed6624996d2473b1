"""Words and values of serving: states, what should be live, what was seen, and where a name leads to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

ALLOWED_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The rank limits that vLLM 0.32 can be started with."""
SMALLEST_LIMIT = 8
DEFAULT_ALIAS = "default"
CAN_WAIT_A_LITTLE, CAN_WAIT = 10, 20
"""Priorities of a run's and of a batch's requests; vLLM takes the lower number first, and who chats has 0."""
MAX_COPIES = 16
"""Engines with the same base model, at most."""
MAX_PLACES = 64
"""Adapters that an engine holds ready at once, at most: each takes memory, and all are padded to the highest rank."""
RESERVED_NAMES = frozenset({"load", "switch", "active"})
"""Addresses under /v1/models that are no models."""


class EngineKind(StrEnum):
    """Who runs an engine."""

    OURS = "ours"
    ATTACHED = "attached"
    PROVIDER = "provider"


class EngineState(StrEnum):
    """What an engine is doing."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


class DeploymentState(StrEnum):
    """What an engine says about a model that should be, or should no longer be, on it."""

    WAITING = "waiting"
    LOADED = "loaded"
    UNLOADED = "unloaded"
    FAILED = "failed"


class Proof(StrEnum):
    """Whether a loaded model was shown to have learned what it was taught."""

    UNPROVED = "unproved"
    PROVING = "proving"
    PROVED = "proved"
    REFUSED = "refused"
    NOT_NEEDED = "not_needed"

    @property
    def allows_default(self) -> bool:
        """Whether callers who name no model may get it."""
        return self in (Proof.PROVED, Proof.NOT_NEEDED)


class RolloutState(StrEnum):
    """How a roll-out stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled_back"
    STOPPED = "stopped"
    """Somebody changed the alias by hand."""


class HistoryAction(StrEnum):
    """What changed about what is live."""

    DEPLOY = "deploy"
    UNDEPLOY = "undeploy"
    ROLLBACK = "rollback"
    CRASH = "crash"
    """An engine of ours died; what was on it waits."""
    RESTART = "restart"
    """It gives tokens again."""


def rank_limit(ranks: Iterable[int | None]) -> int | None:
    """The smallest limit that holds all these ranks, 8 at least; None when no limit does."""
    highest = max((rank for rank in ranks if rank is not None), default=SMALLEST_LIMIT)
    return next((limit for limit in ALLOWED_RANKS if limit >= max(highest, SMALLEST_LIMIT)), None)


def key_path(engine_id: str) -> Path:
    """Where an engine's key lies, relative to the home folder."""
    return Path("secrets") / f"engine-{engine_id}.key"


@dataclass(frozen=True)
class Target:
    """Where requests for a model go. `key_path` is relative to the home folder; no file there: no key is wanted."""

    url: str
    key_path: Path
    model_name: str
    """The name in the engine: always the model's id, except at engines that are not ours."""
    engine_id: str
    is_ready: bool
    is_ours: bool = True
    """False: an outside provider, which gets no parameters that only vLLM knows."""
    is_cpu_safe_needed: bool = True
    """Whether requests that ask for log-probabilities of prompts must be refused, because they kill a CPU engine."""
    takes_priority: bool = False
    """Whether a request may say that it can wait (`CAN_WAIT`); an engine that was started otherwise refuses it."""

    def read_key(self, home: Path) -> str | None:
        """The key itself, from its file in the home folder."""
        path = home / self.key_path
        return path.read_text(encoding="ascii").strip() if path.exists() else None


@dataclass(frozen=True)
class Part:
    """A part of what an alias leads to: a model, and its share of the requests."""

    model_id: str
    share: float

    def to_dict(self) -> dict[str, Any]:
        """As it is kept in the database."""
        return {"model_id": self.model_id, "share": self.share}


def parts_of(targets: Iterable[Mapping[str, Any]]) -> tuple[Part, ...]:
    """What an alias leads to, as it is kept in the database."""
    return tuple(Part(str(each["model_id"]), float(each["share"])) for each in targets)


@dataclass(frozen=True)
class Share:
    """A part of the requests for a name, and where it goes."""

    model_id: str
    share: float
    target: Target
    proof: Proof
    alias: str | None = None
    """The stable name that leads there, if it is one."""
    version: int = 0
    """The number in the history of the alias's last change."""
    others: tuple[Target, ...] = ()
    """More engines that have the model ready, proved as well as on the first."""


@dataclass(frozen=True)
class Route:
    """What a name that callers may use stands for. Shares add up to 1."""

    name: str
    kind: str
    """`alias`, `base`, `fine_tuned` or `provider`."""
    shares: tuple[Share, ...]
    label: str = ""
    """What people call it, which two models may share; empty: its name."""

    @property
    def is_ready(self) -> bool:
        """Whether every part of it would be answered now."""
        return bool(self.shares) and all(share.target.is_ready for share in self.shares)


@dataclass(frozen=True)
class RouteTable:
    """Every name of one organisation that leads somewhere, as of a moment. A copy; holds no database."""

    made_at: datetime
    routes: Mapping[str, Route]


@dataclass(frozen=True)
class WantedEngine:
    """An engine as the database has it; `needed_rank` is the limit for the `num_adapters` adapters wanted on it."""

    id: str
    kind: EngineKind
    is_wanted: bool
    state: EngineState
    generation: int
    max_lora_rank: int
    needed_rank: int
    num_adapters: int
    num_crashes: int
    starting_at: datetime | None
    num_places: int = 0
    """Places for adapters that it has; it starts again where somebody asked for more."""
    asked_places: int = 0
    needed_bytes: int = 0
    """Memory that it will take on a machine without a GPU."""
    gpu: int | None = None
    """The GPU that it was last started on."""
    wanted_at: datetime | None = None
    """When somebody last asked for it; None: it starts only where there is room, and makes nobody leave."""
    is_aliased: bool = False
    """A stable name leads to a model on it."""
    rests_because: str = ""
    """Why it gives its memory away for now, in words; empty: it does not."""


@dataclass(frozen=True)
class WantedDeployment:
    """A deployment as the database has it. `generation` is the engine's, at the last attempt to load."""

    id: str
    model_id: str
    engine_id: str
    is_base: bool
    is_wanted: bool
    state: DeploymentState
    generation: int
    proof: Proof
    prove_job_id: str | None
    is_prove_job_over: bool


@dataclass(frozen=True)
class SeenEngine:
    """An engine as it was found: its process, its last sign of life, the models that it lists."""

    is_alive: bool = False
    """The process is there; an attached engine counts as alive always."""
    has_answered: bool = False
    """A real token came since it started."""
    silent_s: float = 0.0
    """Seconds without a token or a moved counter."""
    has_room: bool = True
    """Whether one more adapter can be loaded before its next start."""
    listed: frozenset[str] | None = None
    """Names that it lists; None: not looked yet."""
    busy_with: frozenset[str] = frozenset()
    """Deployments on which an operation is under way."""


@dataclass(frozen=True)
class ReceiptLine:
    """One thing that was checked."""

    name: str
    value: str
    expected: str
    is_ok: bool

    def to_dict(self) -> dict[str, Any]:
        """As it is kept in the database and shown."""
        return {"name": self.name, "value": self.value, "expected": self.expected, "is_ok": self.is_ok}
