"""Complete locks: found for this machine, and read. `locks/README.md` says why each is pinned so.

Knows nothing of what is installed. A lock is pip's requirement format with facts in remarks (`# status: …`).
"""

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from goldsmith.environments.errors import LockUnreadable, NoLockForThisMachine
from goldsmith.environments.types import EnvironmentName, InstallHint, Lock, Pin

LOCKS = Path(__file__).parent / "locks"

_FACT = re.compile(r"# (status|minutes|size_bytes|metadata-only): (.+)")
_PIN = re.compile(
    r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)==(?P<version>[^\s;]+)"
    r"(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})*)(?P<remark>  # hash not binding)?"
)


def find_lock(name: EnvironmentName, *, python: Path | None = None, has_gpu: bool | None = None) -> Lock:
    """The lock of `name` for this machine and this Python (default: the one that runs), or `NoLockForThisMachine`."""
    target = this_target(name, python=python, has_gpu=has_gpu)
    path = LOCKS / name / f"{target}.txt"
    if not path.is_file():
        there = ", ".join(targets(name)) or "none yet"
        raise NoLockForThisMachine(f"There is no lock of {name} for {target}. There are: {there}.")
    return read_lock(name, target)


def targets(name: EnvironmentName) -> tuple[str, ...]:
    """The kinds of machines for which there is a lock of `name`."""
    return tuple(sorted(path.stem for path in (LOCKS / name).glob("*.txt")))


def read_lock(name: EnvironmentName, target: str) -> Lock:
    """The lock of `name` for one kind of machine, which need not be this one."""
    return parse_lock((LOCKS / name / f"{target}.txt").read_text(encoding="utf-8"), name=name, target=target)


def parse_lock(text: str, *, name: EnvironmentName, target: str) -> Lock:
    """Read a lock; a line that is neither a pin, a remark nor empty is an error that names it."""
    pins: list[Pin] = []
    metadata_only: list[tuple[str, str]] = []
    facts: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if fact := _FACT.fullmatch(line):
            if fact[1] == "metadata-only":
                distribution, _, version = fact[2].partition("==")
                metadata_only.append((distribution, version))
            else:
                facts[fact[1]] = fact[2]
        elif line.strip() and not line.startswith("#"):
            pins.append(_parse_pin(line, where=f"{name}/{target}.txt, line {number}"))
    return Lock(
        name=name,
        target=target,
        status=facts.get("status", "resolved, not installed"),
        pins=tuple(pins),
        metadata_only=tuple(metadata_only),
        minutes=float(facts["minutes"]) if "minutes" in facts else None,
        size_bytes=int(facts["size_bytes"]) if "size_bytes" in facts else None,
    )


def _parse_pin(line: str, *, where: str) -> Pin:
    match = _PIN.fullmatch(line)
    if match is None:
        raise LockUnreadable(f"{where}: expected `name==version --hash=sha256:…`, found: {line[:80]}")
    hashes = tuple(re.findall(r"[0-9a-f]{64}", match["hashes"]))
    is_binding = match["remark"] is None
    if is_binding and not hashes:
        raise LockUnreadable(f"{where}: {match['name']} has no hash.")
    return Pin(match["name"], match["version"], hashes, is_hash_binding=is_binding)


def install_time_hint(name: EnvironmentName, *, python: Path | None = None) -> InstallHint:
    """The minutes and the size that installing `name` takes on a machine like this one."""
    lock = find_lock(name, python=python)
    return InstallHint(minutes=lock.minutes, size_bytes=lock.size_bytes, status=lock.status)


def this_target(name: EnvironmentName, *, python: Path | None = None, has_gpu: bool | None = None) -> str:
    """The kind of machine that this is, e.g. `cp311-linux-x86_64-cpu`; the engines' names decide about the GPU."""
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    return f"{_python_tag(python)}-{machine}-{_accelerator(name, has_gpu)}"


def _accelerator(name: EnvironmentName, has_gpu: bool | None) -> str:
    if name is EnvironmentName.VLLM:
        return "cuda"
    if name is EnvironmentName.VLLM_CPU:
        return "cpu"
    return "cuda" if (has_nvidia_gpu() if has_gpu is None else has_gpu) else "cpu"


def has_nvidia_gpu() -> bool:
    """Whether an NVIDIA driver is loaded on this machine (or reachable, as in WSL)."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _python_tag(python: Path | None) -> str:
    if python is None:
        return f"cp{sys.version_info.major}{sys.version_info.minor}"
    asked = "import sys; print('cp%d%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-I", "-c", asked], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoLockForThisMachine(f"{python} is not a Python that can be started: {error}") from error
    return done.stdout.strip()
