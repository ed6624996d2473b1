"""The words of this package: which environments there are, what one on disk looks like, what a lock holds.

Knows nothing of pip and of files; everybody who starts a heavy program may import it.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from goldsmith.storage import amounts

SEEN = "installed and seen"
"""How the status of a lock begins that somebody has installed."""


class EnvironmentName(StrEnum):
    """An isolated environment of heavy programs; their pins contradict each other, so each stands alone."""

    TRL = "trl"
    """Training with TRL and PEFT; also converts models."""
    UNSLOTH = "unsloth"
    """Training with Unsloth."""
    AXOLOTL = "axolotl"
    """Training with Axolotl."""
    GGUF = "gguf"
    """llama.cpp's converter; it runs with the Python of `trl`, and brings a `gguf` of its own."""
    VLLM = "vllm"
    """The engine, on an NVIDIA GPU."""
    VLLM_CPU = "vllm-cpu"
    """The engine, on a machine without GPU."""


class EnvironmentStatus(StrEnum):
    """What is on disk, measured against the lock that ships with Goldsmith."""

    MISSING = "missing"
    """Nothing is there."""
    BROKEN = "broken"
    """A folder is there, but no manifest: an install ended in the middle. It does not count."""
    OUTDATED = "outdated"
    """It is whole and usable, but was built from another lock than the one that ships now."""
    INSTALLED = "installed"
    """It is whole and built from the lock that ships now."""


@dataclass(frozen=True)
class Environment:
    """One environment, as it is on disk. What is not known of one that is not installed is null."""

    name: EnvironmentName
    path: Path
    is_installed: bool
    size_bytes: int | None
    python_version: str | None
    lock_hash: str | None
    status: EnvironmentStatus

    @property
    def python(self) -> Path:
        """The interpreter to start programs with; it is there only if `is_installed`."""
        return self.path / "bin" / "python"


@dataclass(frozen=True)
class Pin:
    """One line of a lock: exactly this version, as exactly one of these files."""

    name: str
    version: str
    hashes: tuple[str, ...]
    is_hash_binding: bool = True
    """False: the hash is that of the file once seen, and another build of the same version may have another."""

    @property
    def is_local_build(self) -> bool:
        """Whether this is a build with a local version (`2.13.0+cpu`), which only an index of its own offers."""
        return "+" in self.version

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.name}=={self.version}"

    @property
    def line(self) -> str:
        """The requirement with its hashes, as pip's requirement files have it."""
        return " ".join([self.requirement, *(f"--hash=sha256:{digest}" for digest in self.hashes)])


@dataclass(frozen=True)
class Lock:
    """All that one environment consists of, on one kind of machine."""

    name: EnvironmentName
    target: str
    status: str
    """What is known of it: `installed and seen <day>` or `resolved, not installed`."""
    pins: tuple[Pin, ...]
    metadata_only: tuple[tuple[str, str], ...] = ()
    """Distributions (name, version) that are written as metadata without code, because a program asks for them."""
    minutes: float | None = None
    size_bytes: int | None = None

    @property
    def lock_hash(self) -> str:
        """A hash of what is installed; remarks and measured times do not change it."""
        facts = sorted(pin.line for pin in self.pins) + [f"{name}=={version}" for name, version in self.metadata_only]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    @property
    def is_seen(self) -> bool:
        """Whether this lock was ever installed, not only resolved."""
        return self.status.startswith(SEEN)


@dataclass(frozen=True)
class InstallHint:
    """How long an install took and what it left, measured on 2 cores; null where nobody has measured it."""

    minutes: float | None
    size_bytes: int | None
    status: str

    @property
    def is_seen(self) -> bool:
        """Whether this lock was ever installed, not only resolved."""
        return self.status.startswith(SEEN)

    @property
    def sentence(self) -> str:
        """What a person has to wait for and to give room for."""
        if self.minutes is None or self.size_bytes is None:
            return "size and time were not measured on a machine like this; once."
        return f"{amounts.size(self.size_bytes)} on disk, {amounts.about(60 * self.minutes)}, once."
