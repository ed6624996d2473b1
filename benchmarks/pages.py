"""Every page with 100,000 answers in the database, with each filter, search and sort that it offers, 30 times each.

The pages are those of the list of routes: a new page is measured as soon as it is there. `sqlite` or `postgresql`.
"""

import argparse
import itertools
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.browsing import Browser, offers
from benchmarks.measure import Measured, table, write_section
from benchmarks.servers import Server, empty_home, served
from benchmarks.volume import PERSON, Ids, counted, fill, settle
from tests import postgresql

from goldsmith import app
from goldsmith.app import Parts
from goldsmith.settings import Settings
from goldsmith.stars.types import AnswerFilter, AnswerSort
from goldsmith.web.faces import Face

TIMES = 30
GOAL_MS = 100.0
NUM_STREAMS = 45
WORDS = ("parcel", "xyzzy")
"""One that stands in thousands of rows, and one that stands in none."""
FILTERS = (AnswerFilter.all, AnswerFilter.unread, AnswerFilter.starred)
LEFT_OUT = {
    "/stream": "stays open; see below",
    "/runs/{run_id}/answers.{file_format}": "a download",
    "/training-sets/{set_id}/{name}": "a download",
    "/batches/{batch_id}/{side}.jsonl": "a download",
    "/stars/export": "leads to /stars",
}


@contextmanager
def filled(kind: str) -> Iterator[tuple[dict[str, str], Parts, Ids]]:
    """The environment of a Goldsmith over a filled database."""
    with ExitStack() as stack:
        more = {}
        if kind == "postgresql":
            more["GOLDSMITH_DATABASE_URL"] = f"{stack.enter_context(postgresql.running()).url}/postgres"
        env = stack.enter_context(empty_home(**more))
        settings = Settings(home=Path(env["GOLDSMITH_HOME"]), database_url=more.get("GOLDSMITH_DATABASE_URL"))
        parts = app.assemble(settings)
        app.prepare_database(parts)
        print("Filling the database, about a minute", flush=True)
        ids = fill(parts)
        settle(parts)
        yield env, parts, ids
        parts.database.dispose()


def addresses(parts: Parts, ids: Ids) -> Iterator[tuple[str, list[str]]]:
    """Every page of the list of routes, with its addresses. Raises KeyError for a name that nobody has filled."""
    for known in app.make_asgi(parts).state.faces.routes:
        if known.face is Face.PAGE and "GET" in known.methods and known.path not in LEFT_OUT:
            names = re.findall(r"\{(\w+)\}", known.path)
            yield known.path, [known.path.format(**dict(zip(names, some, strict=True))) for some in _each(ids, names)]
    asked = itertools.product(FILTERS, AnswerSort, ("", *WORDS))
    queries = [f"?filter={choice}&sort={sort}" + (f"&search={word}" if word else "") for choice, sort, word in asked]
    yield "/v1/runs/{run_id}/answers", [f"/v1/runs/{ids['run_id'][0]}/answers{query}" for query in queries]


def _each(ids: Ids, names: list[str]) -> Iterator[tuple[str, ...]]:
    return itertools.product(*(ids[name] for name in names))


def measure(browser: Browser, parts: Parts, ids: Ids, times: int) -> dict[str, dict[str, Measured]]:
    """Route → address → milliseconds."""
    found: dict[str, dict[str, Measured]] = {}
    for route, some in addresses(parts, ids):
        asked = some if route.startswith("/v1") else [each for one in some for each in offers(browser, one, WORDS)]
        if not asked:
            print(f"{route}: leads to another page", flush=True)
            continue
        found[route] = {each: Measured(tuple(browser.get(each)[2] for _ in range(times))) for each in asked}
        slowest = max(measured.p95 for measured in found[route].values())
        print(f"{route}: {len(asked)} addresses, slowest p95 {slowest:.1f} ms", flush=True)
    return found


def with_streams(browser: Browser, server: Server, address: str) -> Measured:
    """The same page while tabs listen."""
    with ExitStack() as stack:
        for _ in range(NUM_STREAMS):
            tab = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            lines = "".join(f"{name}: {value}\r\n" for name, value in browser.headers.items())
            tab.sendall(f"GET /stream HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\n{lines}\r\n".encode())
            if b" 200 " not in tab.recv(200):
                raise RuntimeError("the event stream did not open")
        return Measured(tuple(browser.get(address)[2] for _ in range(TIMES)))


def rows_of(found: Mapping[str, Mapping[str, Measured]]) -> list[list[str]]:
    """A line for each route, the slowest first."""
    rows = []
    for route, by_address in found.items():
        address, slowest = max(by_address.items(), key=lambda pair: pair[1].p95)
        middle = Measured(tuple(value for measured in by_address.values() for value in measured.values)).median
        query = address.partition("?")[2]
        shown = f"`{route}`" + (f" slowest with `{query}`" if query else "")
        rows.append((slowest.p95, [shown, str(len(by_address)), f"{middle:.1f}", f"{slowest.median:.1f}"]))
    return [[*row, f"{p95:.1f}"] for p95, row in sorted(rows, key=lambda pair: -pair[0])]


def main() -> None:
    """Fill, serve, ask, write the section."""
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("database", choices=["sqlite", "postgresql"], nargs="?", default="sqlite")
    reading.add_argument("--times", type=int, default=TIMES, help="how often each address is asked")
    given = reading.parse_args()
    kind, times = given.database, given.times
    with (
        filled(kind) as (env, parts, ids),
        served(["-m", "goldsmith", "web"], port=int(env["GOLDSMITH_PORT"]), env=env) as server,
    ):
        browser = Browser(server.port, PERSON)
        found = measure(browser, parts, ids, times)
        alone = found["/runs"]["/runs"]
        streams = with_streams(browser, server, "/runs")
        browser.close()
        num = counted(parts)
    slowest = max(measured.p95 for by_address in found.values() for measured in by_address.values())
    num_addresses = sum(map(len, found.values()))
    words = (
        f"{num['answers']:,} answers of {num['runs']:,} runs, {num['marks']:,} marks, {num['rows']:,} rows, "
        f"{num['training_jobs']} trainings, {num['model_comparisons']} comparisons, {num['jobs']:,} jobs. "
        f"{num_addresses} addresses, each {times} times over one connection, in milliseconds until the last "
        f"byte. Slowest p95: {slowest:.1f} ms; the goal for every page is under {GOAL_MS:.0f} ms."
    )
    heads = ["page", "addresses", "p50 of all", "p50 of the slowest", "p95 of the slowest"]
    listening = (
        f"`/runs` while {NUM_STREAMS} event streams are open: p50 {streams.median:.1f}, p95 {streams.p95:.1f} ms; "
        f"without them p50 {alone.median:.1f}, p95 {alone.p95:.1f} ms."
    )
    left_out = "Not measured: " + ", ".join(f"`{path}` ({why})" for path, why in LEFT_OUT.items())
    left_out += ", and pages that only lead to another."
    title = "Pages on SQLite" if kind == "sqlite" else "Pages on PostgreSQL"
    command = f".venv/bin/python -m benchmarks.pages {kind}"
    write_section(title, words, table(heads, rows_of(found)), listening, left_out, command=command)


if __name__ == "__main__":
    main()
