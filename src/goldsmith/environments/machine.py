"""What this machine is: its name, cores, memory, GPUs. Read from the system's own files; nothing heavy is imported."""

import os
import platform
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

_NVIDIA_GPUS = Path("/proc/driver/nvidia/gpus")


@dataclass(frozen=True)
class MachineFacts:
    """Facts that decide what can run here."""

    name: str
    num_cores: int
    memory_bytes: int
    gpus: tuple[str, ...]
    """Models of the NVIDIA GPUs, in their order."""
    architecture: str

    @property
    def device(self) -> str:
        """`cuda` or `cpu`."""
        return "cuda" if self.gpus else "cpu"

    @property
    def slots(self) -> tuple[str, ...]:
        """Places for heavy work: one a GPU; a machine without one has `cpu`."""
        return tuple(f"gpu{number}" for number in range(len(self.gpus))) or ("cpu",)


def look() -> MachineFacts:
    """The facts of this machine, now."""
    return MachineFacts(
        name=socket.gethostname(),
        num_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        gpus=_gpus(_NVIDIA_GPUS),
        architecture=platform.machine(),
    )


def free_bytes() -> int:
    """Memory that a new process may take now without another being pushed out."""
    return int(psutil.virtual_memory().available)


def _gpus(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        return ()
    return tuple(_model_of(entry / "information") for entry in sorted(folder.iterdir()))


def _model_of(information: Path) -> str:
    for line in information.read_text(errors="replace").splitlines():
        if line.startswith("Model:"):
            return line.split(":", 1)[1].strip()
    return "NVIDIA GPU"
