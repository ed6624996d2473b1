"""A batch on a real engine, with a kill of its worker and a kill of vLLM on the way: every `custom_id` once?

    .venv/bin/python -m benchmarks.real_batch [--requests 500]

Driven by the official `openai` package against a `goldsmith up` of its own. Both kills are -9: the worker when a third
of the requests has its answer, vLLM's server when two thirds have. Then the output file is read line by line.
"""

import argparse
import csv
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import openai
import orjson
from benchmarks import borrowed
from benchmarks.measure import table, write_section
from benchmarks.product import Api, running, say, wait_until

from goldsmith import app
from goldsmith.demo import story
from goldsmith.jobs import child
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.types import ChildId
from goldsmith.models.types import SMOLLM2
from goldsmith.run.batches.types import ASK_JOB
from goldsmith.serve import queries as serve
from goldsmith.settings import Settings

CHATS: Final = "/v1/chat/completions"
MAX_TOKENS = 24
TIMEOUT_S = 3600.0
ATTEMPTS = 3


@dataclass
class Killed:
    """When who was killed, as counted by what had its answer then."""

    who: str
    num_done: int


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="goldsmith-bench-") as name:
        home, base = Path(name) / "home", borrowed.base_folder()
        with running(home, borrowed.LENDER, import_root=base) as api:
            made = api.post("/v1/base-models", {"path": str(base), "name": SMOLLM2.name})
            api.wait_for_job(made["job_id"])
            measure(api, home, options.requests)


def measure(api: Api, home: Path, number: int) -> None:
    """One batch from its upload to its output."""
    key = api.http.headers["Authorization"].removeprefix("Bearer ")
    address = str(api.http.base_url).rstrip("/")
    client = openai.OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=ATTEMPTS)
    parts = app.assemble(Settings(home=home))
    began = time.perf_counter()
    file = client.files.create(file=("requests.jsonl", requests(number)), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint=CHATS, completion_window="24h")
    num_done = lambda: client.batches.retrieve(batch.id).request_counts.completed  # type: ignore[union-attr] # noqa: E731
    killed = [
        kill_at(number // 3, num_done, "the batch's worker", lambda: worker_of(parts, batch.id)),
        kill_at(2 * number // 3, num_done, "vLLM's server", lambda: engine_of(parts)),
    ]
    wait_until(lambda: client.batches.retrieve(batch.id).output_file_id, "the batch", timeout_s=TIMEOUT_S)
    took_s = time.perf_counter() - began
    done = client.batches.retrieve(batch.id)
    lines = [orjson.loads(line) for line in client.files.content(done.output_file_id or "").iter_lines()]
    parts.database.dispose()
    write(number, killed, Counter(line["custom_id"] for line in lines), done.status, took_s)


def requests(number: int) -> bytes:
    """The batch's file: messages of the demo, again and again, each with a number so that no two are the same."""
    with story.rows_path().open(encoding="utf-8", newline="") as file:
        messages = [row["message"] for row in csv.DictReader(file)]
    bodies = (
        {
            "model": SMOLLM2.name,
            "messages": [{"role": "user", "content": f"{count}. {messages[count % len(messages)]}"}],
            "max_tokens": MAX_TOKENS,
        }
        for count in range(number)
    )
    lines = (
        {"custom_id": f"r{count}", "method": "POST", "url": CHATS, "body": body} for count, body in enumerate(bodies)
    )
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def kill_at(when: int, num_done: Callable[[], int], who: str, find: Callable[[], ChildId | None]) -> Killed:
    """Kill -9 once so many requests have their answer."""
    wait_until(lambda: num_done() >= when or None, f"{when} answers", timeout_s=TIMEOUT_S)
    found = wait_until(find, who, timeout_s=60)
    os.kill(found.pid, signal.SIGKILL)
    killed = Killed(who, num_done())
    say(f"killed {who} at {killed.num_done} answers")
    return killed


def worker_of(parts: app.Parts, batch_id: str) -> ChildId | None:
    """The program that asks, while it lives."""
    with parts.database.reading() as session:
        job = jobs.newest_of(session, batch_id, ASK_JOB)
    return alive(job.pid, job.pid_started_at, job.pid_booted_at) if job is not None else None


def engine_of(parts: app.Parts) -> ChildId | None:
    """vLLM's server, while it lives."""
    with parts.database.reading() as session:
        engine = serve.of_ours(session)[0]
    return alive(engine.pid, engine.pid_started_at, engine.pid_booted_at)


def alive(pid: int | None, started_at: float | None, booted_at: float | None) -> ChildId | None:
    """The process, if it is still that one."""
    if pid is None or started_at is None or booted_at is None:
        return None
    found = ChildId(pid, started_at, booted_at)
    return found if child.is_alive(found) else None


def write(number: int, killed: list[Killed], ids: Counter[str], status: str, took_s: float) -> None:
    """The section of RESULTS.md."""
    rows = [
        ["requests", f"{number:,}"],
        *([f"killed -9: {each.who}", f"at {each.num_done:,} answers"] for each in killed),
        ["results", f"{ids.total():,}"],
        ["different custom_ids", f"{len(ids):,}"],
        ["custom_ids that came twice", f"{sum(count > 1 for count in ids.values()):,}"],
        ["state of the batch", status],
        ["from upload to output, the engine's starts included", f"{took_s:,.0f} s"],
    ]
    write_section(
        "A batch on real vLLM",
        f"SmolLM2-135M in float32 on vLLM for CPUs, {MAX_TOKENS} tokens an answer, driven by the `openai` package.",
        table(["", ""], rows),
        command=f".venv/bin/python -m benchmarks.real_batch --requests {number}",
    )


if __name__ == "__main__":
    main()
