"""The servers that the gateway's benchmark compares: an engine that only keeps time, Goldsmith before it, and LiteLLM.

Each is a process of its own on a free port of loopback. LiteLLM comes from PyPI into an environment of its own, pinned,
and runs at its best: one worker with uvloop, no database, no logs of what is spent, its own cost map, errors alone
in its log.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from benchmarks.callers import Door
from benchmarks.product import say
from benchmarks.servers import free_port

from goldsmith import app
from goldsmith.models.tables import BaseModel
from goldsmith.people import service as people
from goldsmith.serve.tables import Deployment, Engine
from goldsmith.settings import Settings

PROGRAMS = Path(__file__).with_name("programs")
STUB_MODEL = "bm_benchmark"
LITELLM = "litellm[proxy]==1.108.5"
PEER_FOLDER = Path(os.environ.get("GOLDSMITH_BENCH_PEERS", Path(tempfile.gettempdir()) / "goldsmith-peers"))
"""Where environments of peers are kept from one time to the next."""
PEER_KEY = "sk-benchmark"
START_S = 90.0


class Stub:
    """The engine that only keeps time, and how to tell it what to do."""

    def __init__(self, port: int) -> None:
        self.door = Door(port, "none", STUB_MODEL)

    def control(self, **wanted: float) -> None:
        """Set what is named; see the program."""
        self._call("/control", json.dumps(wanted).encode())

    def counts(self) -> dict[str, int]:
        """What it counted."""
        found: dict[str, int] = self._call("/counts", None)
        return found

    def _call(self, path: str, body: bytes | None) -> dict[str, int]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.door.port}{path}", body, timeout=10) as answer:
            found: dict[str, int] = json.loads(answer.read())
            return found


@contextmanager
def stub() -> Iterator[Stub]:
    """The engine, in a process of its own."""
    port = free_port()
    with process([sys.executable, str(PROGRAMS / "stub_engine.py"), str(port)], port=port, env=os.environ):
        yield Stub(port)


@contextmanager
def goldsmith(stub: Stub, home: Path, *, command: Sequence[str] = ("web",)) -> Iterator[tuple[Door, psutil.Process]]:
    """Goldsmith's web process in this home, with the stub as the engine of a base model."""
    port = free_port()
    settings = Settings(home=home, port=port)
    key = offer(settings, stub)
    env = {**_without_ours(), **settings.to_environment()}
    with process([sys.executable, "-m", "goldsmith", *command], port=port, env=env) as started:
        yield Door(port, key, STUB_MODEL), started


@contextmanager
def bare(stub: Stub) -> Iterator[Door]:
    """Our server and our client with nothing in between."""
    port = free_port()
    argv = [sys.executable, "-m", "benchmarks.programs.bare_gateway", str(port), str(stub.door.port)]
    with process(argv, port=port, env=os.environ):
        yield Door(port, "none", STUB_MODEL)


@contextmanager
def litellm(stub: Stub) -> Iterator[Door]:
    """LiteLLM's proxy, at its best."""
    python = _peer_python()
    with tempfile.TemporaryDirectory(prefix="goldsmith-peer-") as folder, ExitStack() as stack:
        port, config = free_port(), Path(folder) / "config.yaml"
        address = f"http://127.0.0.1:{stub.door.port}/v1"
        config.write_text(
            json.dumps(
                {
                    "model_list": [
                        {
                            "model_name": STUB_MODEL,
                            "litellm_params": {
                                "model": f"hosted_vllm/{STUB_MODEL}",
                                "api_base": address,
                                "api_key": "none",
                            },
                        }
                    ],
                    "general_settings": {
                        "master_key": PEER_KEY,
                        "disable_spend_logs": True,
                        "disable_error_logs": True,
                        "background_health_checks": False,
                    },
                    "litellm_settings": {
                        "set_verbose": False,
                        "json_logs": False,
                        "num_retries": 0,
                        "telemetry": False,
                    },
                    "router_settings": {"num_retries": 0, "disable_cooldowns": True},
                }
            )
        )
        env = _without_ours() | {
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            "NO_DOCS": "True",
            "PYTHONUNBUFFERED": "1",
        }
        argv = [str(python.with_name("litellm")), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
        stack.enter_context(process([*argv, "--num_workers", "1"], port=port, env=env, path="/health/liveliness"))
        yield Door(port, PEER_KEY, STUB_MODEL)


@contextmanager
def process(
    argv: Sequence[str], *, port: int, env: Mapping[str, str], path: str = "/healthz"
) -> Iterator[psutil.Process]:
    """A program once it answers; ended at the end."""
    with tempfile.TemporaryFile() as log:
        started = subprocess.Popen(argv, env=dict(env), stdout=log, stderr=log)
        try:
            _wait_for(started, f"http://127.0.0.1:{port}{path}")
            yield psutil.Process(started.pid)
        except RuntimeError as error:
            log.seek(0)
            raise SystemExit(f"{error}\n{log.read()[-4000:].decode(errors='replace')}") from None
        finally:
            started.terminate()
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()


def _wait_for(started: "subprocess.Popen[bytes]", url: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if started.poll() is not None:
            raise RuntimeError(f"{started.args!r} ended with {started.returncode} before it answered.")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer within {START_S:.0f} s.")


def offer(settings: Settings, stub: Stub) -> str:
    """The stub as an attached engine with a base model on it; a key."""
    parts = app.assemble(settings)
    app.prepare_database(parts)
    with parts.database.transaction() as session:
        person = people.known_by_name(session, "Ada")
        owned = {"domain": person.domain, "created_by": person.id}
        engine = session.get(Engine, "eng_benchmark")
        if engine is None:
            session.add(
                BaseModel(
                    id=STUB_MODEL, name=STUB_MODEL, source="folder", folder="models/none", size_bytes=1,
                    num_parameters=1, context_length=2048, end_marker="<end>", content_hash="0", template_hash="0",
                    **owned,
                )
            )  # fmt: skip
            session.flush()
            engine = Engine(id="eng_benchmark", name="stub", kind="attached", base_model_id=STUB_MODEL, **owned)
            session.add(engine)
            session.flush()
            deployment = {"model_id": STUB_MODEL, "engine_id": engine.id, "state": "loaded", "proof": "not_needed"}
            session.add(Deployment(id="dep_benchmark", **deployment, **owned))
        engine.state, engine.url = "ready", f"http://127.0.0.1:{stub.door.port}"
        _, key = people.add_key(session, "benchmark", by=person)
    parts.database.dispose()
    return key


def _peer_python() -> Path:
    folder = PEER_FOLDER / "litellm"
    python = folder / "bin" / "python"
    if not (folder / "bin" / "litellm").exists():
        say(f"installing {LITELLM} into {folder} …")
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", LITELLM], check=True)
    return python


def _without_ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GOLDSMITH_")}
