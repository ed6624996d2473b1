"""What the gateway costs: beside asking the engine directly, and beside LiteLLM's proxy.

The engine is a stub that only keeps time, so what is added is the gateway's, its door and its check of the key
included. All run on this machine, the callers too. `--only` measures some parts; the results are written when all were.

    .venv/bin/python -m benchmarks.gateway [--rounds N] [--seconds S] [--only PART …] [--no-peer]
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from benchmarks.callers import Door, Found, ask_for, go_away, listen_to, percentile
from benchmarks.gateway_servers import LITELLM, Stub, bare, goldsmith, litellm, stub
from benchmarks.measure import ROUNDS, Measured, interleaved, table, write_section
from benchmarks.product import say
from benchmarks.volume import fill, settle

from goldsmith import app
from goldsmith.settings import Settings

DIRECT, OURS, PEER = "direct", "Goldsmith", "LiteLLM"
BARE = "nothing but our server and client"
VISITS = Path(__file__).parent / "programs" / "visits.py"
VISITS_PER_S = 5
WAYS = {
    "50 ms ± 50 %": {"delay_s": 0.05, "spread": 0.5},
    "50 ms, always": {"delay_s": 0.05, "spread": 0.0},
    "20 ms, always": {"delay_s": 0.02, "spread": 0.0},
}
"""How long the engine takes: what is measured with 50 callers."""
NUM_CALLERS, NUM_FEW = 50, 16
MANY, MANY_EVERY_S, MANY_CHUNKS = 1000, 0.2, 40
NUM_LEAVES = 10
Lines = list[list[str]]
Results = dict[str, Measured]


@dataclass
class Bench:
    """Everything that runs, and how thoroughly it is measured."""

    stub: Stub
    doors: Mapping[str, Door]
    ours: psutil.Process
    rounds: int
    seconds: float
    errors: list[str] = field(default_factory=list)

    def ask(self, name: str, callers: int) -> Found:
        """So many callers at one of the doors; errors are kept."""
        found = ask_for(self.doors[name], callers=callers, seconds=self.seconds)
        self.note(name, found)
        return found

    def note(self, name: str, found: Found) -> None:
        """Keep that there were errors."""
        if found.num_errors:
            self.errors.append(f"{name}: {found.num_errors} errors, the first: {found.first_error[:300]!r}")
            say(self.errors[-1])

    def in_turn(self, measure: Callable[[str], float], names: tuple[str, ...] = (DIRECT, OURS, PEER)) -> Results:
        """What is measured at each door, in turn."""
        some = [name for name in names if name in self.doors]
        return interleaved({name: lambda name=name: measure(name) for name in some}, rounds=self.rounds)  # type: ignore[misc]


def added(bench: Bench) -> str:
    """Added p50 and p99 with 50 callers."""
    lines: Lines = []
    for way, control in WAYS.items():
        p99: dict[str, list[float]] = {name: [] for name in bench.doors}

        def measure(name: str, control: Mapping[str, float] = control, p99: dict[str, list[float]] = p99) -> float:
            bench.stub.control(**control)
            found = bench.ask(name, NUM_CALLERS)
            p99[name].append(percentile(found.seconds, 99))
            return percentile(found.seconds, 50)

        p50 = bench.in_turn(measure)
        slow = {name: Measured(tuple(values)) for name, values in p99.items()}
        for name in [name for name in (OURS, PEER) if name in p50]:
            goal = "under 2 and 10 ms" if name == OURS else ""
            more = [minus(found[name], found[DIRECT]).text("ms") for found in (p50, slow)]
            lines.append([f"{way}: {name}", *more, goal])
    return table([f"added, {NUM_CALLERS} callers, engine of", "p50", "p99", "goal"], lines)


def few(bench: Bench) -> str:
    """The share of direct requests/s at 16 callers and 22 ms."""
    return _ratios(bench, NUM_FEW, 0.022, "16 callers, engine of 22 ms", {OURS: "0.97"})


def saturated(bench: Bench) -> str:
    """Requests/s when the engine takes no time."""
    bench.stub.control(delay_s=0.0, spread=0.0)
    found = bench.in_turn(lambda name: bench.ask(name, NUM_CALLERS).per_s)
    lines = [[name, measured.text(digits=0)] for name, measured in found.items()]
    text = table([f"saturated, {NUM_CALLERS} callers, engine of 0 ms", "requests/s"], lines)
    if PEER in found:
        times = found[OURS] / found[PEER]
        text += f"\n\n{times.text('times LiteLLM', 1)}, round by round; goal 40 times."
    return text


def streams(bench: Bench) -> str:
    """Added p50 a chunk with 50 streams of 50 chunks a second."""
    gaps: dict[str, list[float]] = {name: [] for name in bench.doors}

    def measure(name: str) -> float:
        bench.stub.control(num_chunks=int(bench.seconds / 0.02), every_s=0.02)
        found = listen_to(bench.doors[name], streams=50)
        bench.note(name, found)
        gaps[name].append(percentile(found.gaps_s, 99))
        return percentile(found.late_s, 50)

    late = bench.in_turn(measure)
    lines = [
        [name, minus(late[name], late[DIRECT]).text("ms"), Measured(tuple(gaps[name])).text("ms", 1), goal]
        for name, goal in ((OURS, "under 1 ms"), (PEER, ""))
        if name in late
    ]
    heads = ["50 streams, a chunk every 20 ms each", "added p50 a chunk", "p99 between two chunks", "goal"]
    return table(heads, lines)


def many(bench: Bench, page: str) -> str:
    """1,000 streams at 5,000 chunks/s, without and with somebody who looks at pages."""
    lines: Lines = []
    late: dict[str, list[float]] = {}
    for number in range(min(bench.rounds, 3)):
        for name, door, address in ((DIRECT, DIRECT, ""), (OURS, OURS, ""), (f"{OURS} beside a page", OURS, page)):
            say(f"1,000 streams, round {number + 1}: {name}")
            late.setdefault(name, []).append(0)
            lines.append([f"round {number + 1}: {name}", *_many_once(bench, door, address, late[name])])
    more = {name: minus(Measured(tuple(late[name])), Measured(tuple(late[DIRECT]))) for name in late if name != DIRECT}
    words = "; ".join(f"{name}: added p50 a chunk {measured.text('ms')}" for name, measured in more.items())
    heads = ["1,000 streams, 5,000 chunks/s", "p50 a chunk", "p99 between two chunks", "errors", "memory a stream"]
    visited = f"The page: one of 100,000 answers (`{page}`), {VISITS_PER_S} times a second."
    return f"{table(heads, lines)}\n\n{words}; goals: no error, under 1 ms, under 50 kB. {visited}"


def _many_once(bench: Bench, name: str, page: str, late: list[float]) -> list[str]:
    bench.stub.control(num_chunks=MANY_CHUNKS, every_s=MANY_EVERY_S)
    before = bench.ours.memory_info().rss
    most = 0

    async def look() -> None:
        nonlocal most
        await asyncio.sleep(MANY_CHUNKS * MANY_EVERY_S / 2)
        most = bench.ours.memory_info().rss

    with visiting(bench.doors[OURS].port, page):
        found = listen_to(bench.doors[name], streams=MANY, during=look)
    bench.note(name, found)
    late[-1] = percentile(found.late_s, 50)
    a_stream = f"{max(0, most - before) / MANY / 1000:.0f} kB" if name == OURS and not page else ""
    return [f"{late[-1]:.2f} ms", f"{percentile(found.gaps_s, 99):.0f} ms", str(found.num_errors), a_stream]


def leaves(bench: Bench) -> str:
    """How long the engine goes on working for somebody who has left."""
    bench.stub.control(delay_s=10.0, spread=0.0, num_chunks=1000, every_s=0.02)
    lines = []
    for is_stream, what in ((False, "no stream"), (True, "a stream")):
        waits = [_leave_once(bench, is_stream) for _ in range(NUM_LEAVES)]
        lines.append([what, Measured(tuple(waits)).text("ms", 1), "under 500 ms"])
    return table(["a caller leaves, until the engine stops", "after", "goal"], lines)


def _leave_once(bench: Bench, is_stream: bool) -> float:
    num_gone = bench.stub.counts()["num_gone"]
    left_ns = go_away(bench.doors[OURS], is_stream=is_stream)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        counts = bench.stub.counts()
        if counts["num_gone"] > num_gone:
            return (counts["last_gone_ns"] - left_ns) / 1e6
        time.sleep(0.002)
    bench.errors.append("the engine went on after the caller had left")
    return 5000.0


def minus(first: Measured, other: Measured) -> Measured:
    """Round by round."""
    return Measured(tuple(a - b for a, b in zip(first.values, other.values, strict=True)))


def _ratios(bench: Bench, callers: int, delay_s: float, what: str, goals: Mapping[str, str]) -> str:
    bench.stub.control(delay_s=delay_s, spread=0.0)
    found = bench.in_turn(lambda name: bench.ask(name, callers).per_s, (DIRECT, BARE, OURS, PEER))
    lines = [
        [name, found[name].text(digits=0), (found[name] / found[DIRECT]).text(), goals.get(name, "")] for name in found
    ]
    return table([what, "requests/s", "of direct", "goal"], lines)


@contextmanager
def visiting(port: int, page: str) -> Iterator[None]:
    """Somebody loads the page again and again, in a process of its own; nobody when there is none."""
    if not page:
        yield
        return
    argv = [sys.executable, "-m", "benchmarks.programs.visits", str(port), page, str(VISITS_PER_S)]
    visitor = subprocess.Popen(argv)
    try:
        yield
    finally:
        visitor.terminate()
        visitor.wait(10)


PARTS: dict[str, Callable[[Bench], str]] = {
    "added": added,
    "few": few,
    "saturated": saturated,
    "streams": streams,
    "leaves": leaves,
}
MANY_PART = "many"


def fill_home(home: Path) -> str:
    """100,000 answers; the address of their page."""
    parts = app.assemble(Settings(home=home))
    app.prepare_database(parts)
    say("Filling the database with 100,000 answers, about a minute …")
    ids = fill(parts)
    settle(parts)
    parts.database.dispose()
    return f"/runs/{ids['run_id'][0]}"


def main() -> None:
    """Measure all parts, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=2.5, help="how long each measurement lasts")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, MANY_PART], default=[*PARTS, MANY_PART])
    parser.add_argument("--no-peer", action="store_true", help="leave LiteLLM out")
    options = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="goldsmith-benchmark-"))) / "home"
        page = fill_home(home) if MANY_PART in options.only else ""
        engine = stack.enter_context(stub())
        door, process = stack.enter_context(goldsmith(engine, home))
        doors = {DIRECT: engine.door, OURS: door, BARE: stack.enter_context(bare(engine))}
        if not options.no_peer:
            doors[PEER] = stack.enter_context(litellm(engine))
        bench = Bench(engine, doors, process, options.rounds, options.seconds)
        for each in doors.values():
            ask_for(each, callers=8, seconds=1.0)  # not counted: what is loaded late is loaded now
        blocks = [PARTS[name](bench) for name in PARTS if name in options.only]
        if MANY_PART in options.only:
            blocks.append(many(bench, page))
    for block in blocks:
        say(f"\n{block}")
    if len(options.only) == len(PARTS) + 1:
        command = f".venv/bin/python -m benchmarks.gateway --rounds {options.rounds} --seconds {options.seconds:g}"
        write(blocks, bench, command + " --no-peer" * options.no_peer)


def write(blocks: list[str], bench: Bench, command: str) -> None:
    """The section of RESULTS.md."""
    peer = f"LiteLLM is {LITELLM}: one worker with uvloop, no database, no spend logs, only errors logged, no retries."
    failed = "No request failed." if not bench.errors else " ".join(bench.errors)
    write_section(
        "Gateway",
        "Callers, gateway and an engine that only keeps time (`programs/stub_engine.py`) on this machine; one worker "
        f"each, door and key check included. {peer if PEER in bench.doors else ''} {failed}",
        *blocks,
        command=command,
    )


if __name__ == "__main__":
    main()
