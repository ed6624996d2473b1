"""How long an export of Aristotle's gold stars takes among a million ratings, and what the web process then holds.

Each generation is filled with 1,000,000 conquests, ratings, prompts and answers of others and 42 gold stars of one
philosopher, and `goldsmith web` is asked over HTTP: once for a new training set, then again for the same one. The plan
of every query is looked at: where an index exists, no table may be read from end to end.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

import psutil
from benchmarks.measure import Measured, table, write_section
from benchmarks.servers import empty_home, served
from tests import postgresql

from goldsmith.connect.aristotle import Aristotle
from goldsmith.connect.types import Scope, Wish
from goldsmith.testing.aristotle import NAMES, SYSTEM, SyntheticAristotle

SCOPE = Scope("ada@acme.example", "acme.example")
NUM_STARS = 42
GOAL_S, GOAL_MIB = 1.0, 150.0
MIB = 2**20


@dataclass(frozen=True)
class Found:
    """What was measured of one generation."""

    fill_s: float
    first_s: float
    again: Measured
    start_mib: float
    end_mib: float
    num_scans: int


def export(url: str, key: str) -> tuple[float, dict[str, object]]:
    """Seconds and the answer of one export over HTTP."""
    body = {"philosopher": SCOPE.philosopher, "domain": SCOPE.domain, "system_message": SYSTEM}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{url}/v1/fine-tuning/datasets/export", json.dumps(body).encode(), headers)
    began = time.perf_counter()
    with urllib.request.urlopen(asked) as answer:
        found: dict[str, object] = json.load(answer)
    return time.perf_counter() - began, found


def new_key(env: Mapping[str, str]) -> str:
    """A key for programs."""
    argv = [sys.executable, "-m", "goldsmith", "keys", "add", "benchmark", "--json"]
    said = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout
    return str(json.loads(said)["key"])


def measure(url: str, generation: str, *, num: int, rounds: int) -> Found:
    """Fill an empty database and export from it."""
    synthetic = SyntheticAristotle(url, generation)
    synthetic.make_tables()
    began = time.perf_counter()
    synthetic.fill_many(num)
    synthetic.fill(NUM_STARS, philosopher=SCOPE.philosopher, domain=SCOPE.domain)
    synthetic.analyze()
    fill_s = time.perf_counter() - began
    plans = Aristotle.at(url).plans(Wish(SCOPE))
    with empty_home(ARISTOTLE_DATABASE_URL=url) as env:
        key = new_key(env)
        with served(["-m", "goldsmith", "web"], port=int(env["GOLDSMITH_PORT"]), env=env) as server:
            process = psutil.Process(server.process.pid)
            start_mib = process.memory_info().rss / MIB
            first_s, made = export(server.url, key)
            if made["count"] != NUM_STARS:
                raise RuntimeError(f"{made['count']} stars came, not {NUM_STARS}")
            times = []
            for _ in range(rounds):
                seconds, again = export(server.url, key)
                times.append(seconds)
                if again["id"] != made["id"]:
                    raise RuntimeError("the same stars made another set")
            return Found(
                fill_s,
                first_s,
                Measured(tuple(times)),
                start_mib,
                process.memory_info().rss / MIB,
                sum("Seq Scan" in plan for plan in plans),
            )


def main() -> None:
    """Measure all three generations and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    found = {}
    with postgresql.running() as server:
        for generation in NAMES:
            name = f"aristotle_{generation.lower()}"
            postgresql.run_sql(server.url, f"CREATE DATABASE {name}")
            found[generation] = measure(f"{server.url}/{name}", generation, num=given.ratings, rounds=given.rounds)
            postgresql.run_sql(server.url, f"DROP DATABASE {name} WITH (FORCE)")
            print(f"{generation}: {found[generation]}", flush=True)
    rows = [
        [
            generation,
            f"{each.first_s:.2f}",
            each.again.text(),
            f"{each.start_mib:.0f}",
            f"{each.end_mib:.0f}",
            str(each.num_scans),
        ]
        for generation, each in found.items()
    ]
    slowest = max(max(each.first_s, *each.again.values) for each in found.values())
    most = max(each.end_mib for each in found.values())
    reached = "reached" if slowest < GOAL_S and most < GOAL_MIB else "missed"
    heads = ["generation", "first export, s", "the same again, s", "web at its start, MiB", "after it, MiB", "scans"]
    write_section(
        "Export from Aristotle",
        f"{given.ratings:,} conquests with ratings, prompts and answers of others, {NUM_STARS} gold stars of one "
        "philosopher, on a PostgreSQL on the same machine; over HTTP, from the request to the answer, training set "
        "written; the first one also loads what an export needs. *Scans*: queries that read a table from "
        "end to end, by PostgreSQL's own plan.",
        table(heads, rows),
        f"Goal: under {GOAL_S:.0f} s, under {GOAL_MIB:.0f} MiB, no scan: the slowest took {slowest:.2f} s, the most "
        f"was {most:.0f} MiB: {reached}.",
        command=f".venv/bin/python -m benchmarks.aristotle_export --ratings {given.ratings} --rounds {given.rounds}",
    )


if __name__ == "__main__":
    main()
