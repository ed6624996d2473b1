"""One engine process of ours: what is started and why so, on which port, with which key; what its log says.

Knows no database. The process outlives whoever started it and is found again by pid and start time (`jobs/child.py`).
"""

import re
import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from goldsmith.environments.folders import python_of
from goldsmith.environments.types import EnvironmentName
from goldsmith.jobs import child
from goldsmith.jobs.program import own_gpu
from goldsmith.jobs.types import ChildId, Launch
from goldsmith.serve.errors import EngineFailed
from goldsmith.serve.types import key_path
from goldsmith.storage.files import Home, write_whole

CPU_PLACES = 16
GPU_PLACES = (4, 8)
"""The fewest and the most places on a GPU unless somebody asks for another number: each takes memory from answers."""
ADAPTERS_KEPT_MORE = 8
_NUM_PORTS = 50
_TAIL_BYTES = 20_000
_LOG_KEPT_BYTES = 10_000_000
# What an engine may know of the environment it was started in: where programs are, a home for caches, GPUs, proxies no.
_PASSED_ON = re.compile(r"PATH|HOME|TMPDIR|LANG|LC_\w+|TZ|USER|LD_LIBRARY_PATH|CUDA_\w+|NVIDIA_\w+|OMP_NUM_THREADS")
_FORCED_ENV: Mapping[str, str] = {
    # Loading at run time exists only with this; the engine listens on loopback and wants a key (vLLM 0.32).
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
    # Nothing is reported to anybody, and nothing is fetched: the model is a folder of ours.
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
}
_PHASES: tuple[tuple[str, str], ...] = (
    ("Starting vLLM server|Application startup complete", "opening its door…"),
    ("init engine", "nearly ready…"),
    ("KV cache size|Loading weights took", "making room for answers…"),
    ("Starting to load model|Loading safetensors|Loading weights", "reading weights…"),
    ("Initializing a V1 LLM engine|Resolved architecture", "getting the model's shape…"),
    ("vLLM API server|non-default args", "reading its settings…"),
)
_HARMLESS = re.compile(r"(?:^|\s)(?:DEBUG|INFO|WARNING)\s")
_ERROR_LINE = re.compile(r"(\w*(?:Error|Exception)\b: .+)$")


@dataclass(frozen=True)
class EnginePlan:
    """Everything that is decided before an engine is started."""

    engine_id: str
    base_folder: Path
    served_name: str
    port: int
    max_lora_rank: int
    max_loras: int
    device: str
    key: str
    key_file: Path
    num_adapters: int = 0
    """How many adapters are wanted on it now."""
    gpu: int | None = None
    """Which of the machine's GPUs is its own."""


Program = Callable[[EnginePlan], Launch]
"""Makes the command of an engine: vLLM's, or that of a stand-in."""


@dataclass(frozen=True)
class EngineFiles:
    """Where the files of one engine lie."""

    folder: Path
    key: Path

    @classmethod
    def of(cls, home: Home, engine_id: str) -> "EngineFiles":
        """The files of the engine with this id."""
        return cls(home.engines / engine_id, home.root / key_path(engine_id))

    @property
    def log(self) -> Path:
        """What it printed since its last start, behind what it printed before."""
        return self.folder / "log"

    @property
    def loads(self) -> Path:
        """A line for each adapter that was loaded since the last start."""
        return self.folder / "loads"

    @property
    def pid_file(self) -> Path:
        """Written by the process itself, so that it is found when its start could not be recorded."""
        return self.folder / "pid"


def write_key(home: Home, engine_id: str, key: str | None = None) -> str:
    """Keep a key (a new one when none is given) in a file that only its owner reads."""
    key = key or secrets.token_urlsafe(32)
    write_whole(home.root / key_path(engine_id), key + "\n")
    return key


def read_key(home: Home, engine_id: str) -> str | None:
    """The key that is kept for an engine, if it wants one."""
    path = home.root / key_path(engine_id)
    return path.read_text(encoding="ascii").strip() if path.exists() else None


def forget_key(home: Home, engine_id: str) -> None:
    """Delete an engine's key; one that is not there is fine."""
    (home.root / key_path(engine_id)).unlink(missing_ok=True)


def own_key(home: Home, engine_id: str) -> str:
    """The key of an engine of ours, made at its first start and kept: a run goes on with it after a restart."""
    path = home.root / key_path(engine_id)
    kept = path.read_text(encoding="ascii").strip() if path.exists() else ""
    return kept or write_key(home, engine_id)


def vllm(home: Home, *, env: Mapping[str, str]) -> Program:
    """The command of the real engine. `env` is the environment of this process; only what is needed is passed on."""

    def program(plan: EnginePlan) -> Launch:
        name = EnvironmentName.VLLM if plan.device == "cuda" else EnvironmentName.VLLM_CPU
        python = python_of(name, home=home.root)
        # What vLLM starts itself (ninja, compilers' wrappers) lies beside its interpreter.
        path = f"{python.parent}:{env.get('PATH', '/usr/bin:/bin')}"
        passed_on = {key: value for key, value in env.items() if _PASSED_ON.fullmatch(key)}
        own = {**passed_on, **_FORCED_ENV, "PATH": path, "VLLM_API_KEY": plan.key, **_device_env(plan.device)}
        if plan.gpu is not None:
            own["CUDA_VISIBLE_DEVICES"] = own_gpu(plan.gpu, env.get("CUDA_VISIBLE_DEVICES", ""))
        argv = (str(python), "-E", "-s", "-m", "vllm.entrypoints.cli.main", "serve", str(plan.base_folder))
        return Launch(argv + tuple(_arguments(plan)), cwd=plan.base_folder, env=own)

    return program


def _device_env(device: str) -> dict[str, str]:
    if device != "cpu":
        return {}
    return {
        # Without it vLLM 0.32 takes a share of the whole memory for answers; 2 GiB hold 46,000 tokens of a small model.
        "VLLM_CPU_KVCACHE_SPACE": "2",
        # vLLM 0.32 compiles a part of its sampler when log-probabilities are first asked for, --enforce-eager or not:
        # that needs a C++ compiler, and the engine answered nobody for more than 20 s.
        "TORCHDYNAMO_DISABLE": "1",
    }


def _arguments(plan: EnginePlan) -> Iterable[str]:
    yield from ("--served-model-name", plan.served_name)
    yield from ("--host", "127.0.0.1", "--port", str(plan.port))
    # Adapters are padded to the limit, and on a CPU the limit decides how slow they are: the smallest that holds all.
    yield from ("--enable-lora", "--max-loras", str(plan.max_loras), "--max-lora-rank", str(plan.max_lora_rank))
    if plan.device == "cuda":
        # With more adapters than places vLLM swaps the least recently used one out, from memory where it is kept there.
        yield from ("--max-cpu-loras", str(max(plan.max_loras, plan.num_adapters + ADAPTERS_KEPT_MORE)))
    # Runs and batches say that they can wait, so that whoever chats meanwhile is answered first.
    yield from ("--scheduling-policy", "priority")
    # Names are loaded from our folders alone; one line a request in the log would be the largest file of all.
    yield from ("--uvicorn-log-level", "warning")
    if plan.device == "cpu":
        # Compiling changes nothing on a CPU and costs a minute; float32 is four times as fast as bfloat16 on AVX2.
        yield from ("--enforce-eager", "--dtype", "float32")


def find_port(first: int) -> int:
    """The first free port on loopback, from `first` on. Raises EngineFailed when there is none."""
    for port in range(first, min(first + _NUM_PORTS, 65536)):
        with socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise EngineFailed(
        f"No port from {first} to {first + _NUM_PORTS - 1} is free.",
        hint="Stop what uses them, or choose others with GOLDSMITH_ENGINE_PORT.",
    )


def start(launch: Launch, plan: EnginePlan, files: EngineFiles) -> ChildId:
    """Start the process and return at once; it needs about a minute until it answers."""
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if files.log.exists() and files.log.stat().st_size > _LOG_KEPT_BYTES:
        files.log.replace(files.log.with_name("log.1"))
    with files.log.open("ab") as log:
        log.write(f"--- start on port {plan.port}, ranks up to {plan.max_lora_rank}\n".encode())
    files.log.chmod(0o600)
    files.loads.unlink(missing_ok=True)
    child.kill_leftovers(files.pid_file)  # the workers of an engine that was killed hold its memory and a core
    process = child.start(launch, log=files.log, pid_file=files.pid_file)
    child.wait_for_pid_file(files.pid_file)
    return process


def find(files: EngineFiles) -> ChildId | None:
    """The process of an engine whose start could not be recorded."""
    return child.find_by_pid_file(files.pid_file)


def note_load(files: EngineFiles, model_id: str) -> None:
    """Count a load, before it is asked for; unloading gives no place back (vLLM forgets only the name)."""
    with files.loads.open("a", encoding="ascii") as file:
        file.write(f"{model_id}\n")


def has_room(files: EngineFiles, *, max_loras: int, device: str) -> bool:
    """Whether one more adapter may be loaded before the next start.

    Because vLLM 0.32 on a CPU writes "no adapter" as place -1, which its PyTorch kernels read as the last place: once
    an adapter lies there, requests to the base model that share a batch with any adapter are answered by that one.
    So the last place stays empty. Remove when its CPU kernels pass over -1.
    """
    if device != "cpu" or not files.loads.exists():
        return True
    return len(files.loads.read_text(encoding="ascii").splitlines()) < max_loras - 1


def places(num_wanted: int, *, device: str, asked: int | None = None) -> int:
    """How many places for adapters an engine is started with; on a CPU many, because each load takes one for good."""
    if device == "cpu":
        return max(asked or 0, CPU_PLACES, num_wanted + CPU_PLACES // 2)
    fewest, most = GPU_PLACES
    return asked or min(max(num_wanted, fewest), most)


def log_tail(files: EngineFiles, num_lines: int = 40) -> list[str]:
    """The last lines of the log since its last start."""
    if not files.log.exists():
        return []
    with files.log.open("rb") as file:
        file.seek(max(0, files.log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("--- start on port")]
    return lines[starts[-1] + 1 if starts else 0 :][-num_lines:]


def phase(files: EngineFiles) -> str:
    """What a starting engine is doing, as its log says; later phases win."""
    text = "\n".join(log_tail(files, 400))
    return next((words for pattern, words in _PHASES if re.search(pattern, text)), "starting the program…")


def last_words(files: EngineFiles) -> str:
    """Why an engine ended, as far as its log says: the last line that names an error, else its last odd line.

    What vLLM warns of at every start is no reason.
    """
    lines = [line.strip() for line in log_tail(files, 200) if line.strip() and not _HARMLESS.search(line)]
    errors = [match.group(1) for line in lines if (match := _ERROR_LINE.search(line))]
    words = (errors or lines)[-1:] or ["its log names no error"]
    return re.sub(r"[^\x20-\x7e -￿]", " ", words[0])[:300]
