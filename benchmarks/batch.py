"""A batch of many requests: pace and memory beside callers who ask the same engine themselves; then with kills.

    .venv/bin/python -m benchmarks.batch [--requests 50000] [--kills 10] [--rounds 1]

The engine only keeps time (`programs/stub_engine.py`), so that what is measured is Goldsmith. The callers are as many
as a batch has requests in flight. In the second part the worker is killed -9 again and again, and what came back is
counted: every `custom_id` once.
"""

import argparse
import io
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil
from benchmarks.callers import ask_for
from benchmarks.gateway_servers import STUB_MODEL, Stub, offer, stub
from benchmarks.measure import Measured, table, write_section
from benchmarks.product import say

from goldsmith import app
from goldsmith.data import service as data
from goldsmith.data.tables import StoredFile
from goldsmith.jobs import child
from goldsmith.jobs import queries as jobs
from goldsmith.jobs.types import ChildId
from goldsmith.people import service as people
from goldsmith.run.batches import queries, service
from goldsmith.run.batches.jobs import NUM_AT_ONCE
from goldsmith.run.batches.tables import Batch
from goldsmith.run.batches.types import ASK_JOB, NewBatch
from goldsmith.settings import Settings

DELAY_S, SPREAD = 0.05, 0.5
CHATS = "/v1/chat/completions"
DIRECT_S = 20.0


@dataclass
class Done:
    """A batch that is over."""

    asking_s: float
    whole_s: float
    peak_mib: float
    num_lines: int
    num_ids: int
    num_kills: int


class Watch:
    """The largest memory of the worker that asks, looked at ten times a second, and its kills."""

    def __init__(self, parts: app.Parts, batch: Batch, kills: list[int]) -> None:
        self._parts, self._batch, self._kills = parts, batch, kills
        self.peak_mib = 0.0
        self.num_kills = 0

    def until_over(self) -> None:
        """Look until the batch is over."""
        while True:
            with self._parts.database.reading() as session:
                batch = queries.one(session, self._batch.id)
                job = jobs.newest_of(session, batch.id, ASK_JOB)
                is_due = bool(self._kills) and queries.counts(session, batch).num_done >= self._kills[0]
            if batch.is_over:
                return
            if job is not None and job.pid and job.pid_started_at and job.pid_booted_at:
                self._look(ChildId(job.pid, job.pid_started_at, job.pid_booted_at), is_due)
            time.sleep(0.1)

    def _look(self, worker: ChildId, is_due: bool) -> None:
        try:
            if not child.is_alive(worker):
                return
            self.peak_mib = max(self.peak_mib, psutil.Process(worker.pid).memory_info().rss / 2**20)
        except psutil.NoSuchProcess:
            return
        if is_due:
            self._kills.pop(0)
            os.kill(worker.pid, signal.SIGKILL)
            self.num_kills += 1


def requests(number: int) -> bytes:
    """The batch's file."""
    words = "Where is my parcel? I ordered it ten days ago and have heard nothing since. " * 2
    messages = [{"role": "system", "content": "You answer for a shop, briefly and kindly."}]
    body = {"model": STUB_MODEL, "messages": [*messages, {"role": "user", "content": words}], "max_tokens": 64}
    lines = ({"custom_id": f"r{count}", "method": "POST", "url": CHATS, "body": body} for count in range(number))
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


@contextmanager
def supervised(parts: app.Parts) -> Iterator[None]:
    """A supervisor; its workers are processes of their own."""
    stop = threading.Event()
    thread = threading.Thread(target=app.make_supervisor(parts).run, args=(stop, []), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)


def ask(parts: app.Parts, number: int, *, kills: int = 0) -> Done:
    """One batch from its upload to its files."""
    upload = data.save_upload(parts.home, io.BytesIO(requests(number)), "requests.jsonl")
    began = time.perf_counter()
    with parts.database.transaction() as session:
        by = people.known_by_name(session, "Ada")
        batch = service.create(session, NewBatch("file-1", "requests.jsonl", upload.sha256, CHATS), by=by)
    watch = Watch(parts, batch, [(count + 1) * number // (kills + 2) for count in range(kills)])
    watch.until_over()
    whole_s = time.perf_counter() - began
    with parts.database.reading() as session:
        done = queries.one(session, batch.id)
        file = session.get(StoredFile, done.output_file_id or "")
    if done.status != "completed" or file is None or done.in_progress_at is None or done.finalizing_at is None:
        raise SystemExit(f"the batch is {done.status.value}: {done.faults}")
    with (parts.home.uploads / file.sha256).open("rb") as lines:
        ids = [orjson.loads(line)["custom_id"] for line in lines]
    asking_s = (done.finalizing_at - done.in_progress_at).total_seconds()
    return Done(asking_s, whole_s, watch.peak_mib, len(ids), len(set(ids)), watch.num_kills)


def direct(engine: Stub, callers: int) -> float:
    """What the engine gives to as many callers, in answers a second."""
    engine.control(delay_s=DELAY_S, spread=SPREAD)
    return ask_for(engine.door, callers=callers, seconds=DIRECT_S).per_s


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="goldsmith-benchmark-"))) / "home"
        engine = stack.enter_context(stub())
        settings = Settings(home=home)
        offer(settings, engine)
        parts = app.assemble(settings)
        stack.callback(parts.database.dispose)
        stack.enter_context(supervised(parts))
        callers = NUM_AT_ONCE[parts.machine.device]
        alone: list[float] = []
        found: list[Done] = []
        for number in range(options.rounds):
            alone.append(direct(engine, callers))
            found.append(ask(parts, options.requests))
            alone[-1] = (alone[-1] + direct(engine, callers)) / 2  # before and after: the machine may change between
            say(f"round {number + 1}: {found[-1]}, direct {alone[-1]:,.0f}/s")
        killed = ask(parts, options.requests, kills=options.kills) if options.kills else None
        say(f"killed: {killed}")
    command = f".venv/bin/python -m benchmarks.batch --requests {options.requests} --kills {options.kills}"
    write(alone, found, killed, callers, f"{command} --rounds {options.rounds}")


def write(alone: list[float], found: list[Done], killed: Done | None, callers: int, command: str) -> None:
    """The section of RESULTS.md."""
    number = found[0].num_lines
    pace = Measured(tuple(number / done.asking_s for done in found))
    theirs = Measured(tuple(alone))
    rows = [
        ["the engine, asked directly", f"{theirs.text('/s', 0)}", ""],
        ["a batch, while it asks", f"{pace.text('/s', 0)}", ""],
        ["beside direct", (pace / theirs).text("", 2), "at least 0.9"],
        ["a batch from upload to files", Measured(tuple(done.whole_s for done in found)).text("s", 0), ""],
        ["its worker's memory, at most", f"{max(done.peak_mib for done in found):,.0f} MiB", "under 300 MB"],
    ]
    blocks = [
        f"{number:,} chats with an engine that answers after {1000 * DELAY_S:g} ms ± {SPREAD:.0%}, {callers} at once; "
        f"as many callers for {DIRECT_S:g} s before and after, over raw connections. SQLite.",
        table(["", "", "goal"], rows),
    ]
    if killed is not None:
        blocks.append(
            f"With the worker killed -9 {killed.num_kills} times on the way: {killed.num_lines:,} results, "
            f"{killed.num_ids:,} different custom_ids, in {killed.whole_s:,.0f} s."
        )
    write_section("Batches", *blocks, command=command)


if __name__ == "__main__":
    main()
