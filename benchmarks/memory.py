"""How much memory Goldsmith holds: web and supervisor after their start and after many pages, and an import's worker.

An import must not need more for a larger file: the worker's peak is measured for files of 20 MB and of 200 MB.
"""

import csv
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
from benchmarks.browsing import Browser
from benchmarks.measure import table, write_section
from benchmarks.pages import addresses, filled
from benchmarks.servers import empty_home, served
from benchmarks.volume import PERSON, counted

from goldsmith.demo import story

SIZES_MB = (20, 200)
NUM_ROUNDS = 5
MIB = 2**20


def rss_mib(process: psutil.Process) -> float:
    """What a process holds now."""
    held: float = process.memory_info().rss / MIB
    return held


def parts_of(up: int) -> dict[str, psutil.Process]:
    """`goldsmith up` and its two children, by their command."""
    process = psutil.Process(up)
    return {"up": process, **{child.cmdline()[-1]: child for child in process.children()}}


def served_pages() -> list[list[str]]:
    """Web and supervisor over 100,000 answers: after the start, and after every page was asked for."""
    with (
        filled("sqlite") as (env, parts, ids),
        served(["-m", "goldsmith", "up"], port=int(env["GOLDSMITH_PORT"]), env=env) as server,
    ):
        time.sleep(5)  # the supervisor and the gateway's table have begun their rounds
        processes = parts_of(server.process.pid)
        at_start = {name: rss_mib(process) for name, process in processes.items()}
        browser = Browser(server.port, PERSON)
        asked = [address for _, some in addresses(parts, ids) for address in some]
        for address in asked * NUM_ROUNDS:
            browser.get(address)
        browser.close()
        num = len(asked) * NUM_ROUNDS
        rows = [
            [f"`goldsmith {name}`", f"{at_start[name]:.0f}", f"{rss_mib(process):.0f}"]
            for name, process in processes.items()
        ]
        print(f"{num} pages over {counted(parts)['answers']:,} answers")
        return rows


def write_rows(path: Path, size_mb: int) -> int:
    """A CSV file of the sample's messages, numbered. Returns how many."""
    with story.rows_path().open(encoding="utf-8", newline="") as file:
        sample = list(csv.DictReader(file))
    number = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["message", "expected"])
        while file.tell() < size_mb * 1_000_000:
            for row in sample:
                number += 1
                writer.writerow([f"{number}: {row['message']}", row["expected"]])
    return number


def workers(up: int) -> Iterator[psutil.Process]:
    """Workers that live now."""
    for child in psutil.Process(up).children(recursive=True):
        try:
            if "work" in child.cmdline():
                yield child
        except psutil.Error:
            continue  # it has just ended


def imported(size_mb: int) -> list[str]:
    """Import a file, and watch its worker."""
    with empty_home() as env, served(["-m", "goldsmith", "up"], port=int(env["GOLDSMITH_PORT"]), env=env) as server:
        path = Path(env["GOLDSMITH_HOME"]).parent / "rows.csv"
        num_rows = write_rows(path, size_mb)
        began, peak = time.perf_counter(), 0.0
        asking = _start_import(path, env)
        try:
            while asking.poll() is None:
                peak = max([peak, *(_peak_mib(worker) for worker in workers(server.process.pid))])
                time.sleep(0.05)
        except KeyboardInterrupt:  # a job goes on when Goldsmith ends
            asking.kill()
            for worker in workers(server.process.pid):
                worker.kill()
            raise
        if asking.returncode != 0:
            raise RuntimeError(f"the import ended with {asking.returncode}")
        seconds = time.perf_counter() - began
        print(f"{size_mb} MB: peak {peak:.0f} MiB, {seconds:.0f} s", flush=True)
        return [f"{size_mb} MB, {num_rows:,} rows", f"{peak:.0f}", f"{seconds:.0f}", f"{num_rows / seconds:,.0f}"]


def _peak_mib(process: psutil.Process) -> float:
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0  # it has just ended
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return float(lines.get("VmHWM", "0 kB").split()[0]) / 1024


def _start_import(path: Path, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "goldsmith", "data", "import", str(path), "--json"]
    return subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    """Measure, and write the section."""
    if not Path("/proc/self/status").exists():
        sys.exit("A process's peak is read from /proc, which only Linux has.")
    imports = [imported(size_mb) for size_mb in SIZES_MB]
    pages = served_pages()
    words = (
        "Resident memory in MiB. Pages: all of them over 100,000 answers (see there), five times, on SQLite. The "
        "import's peak is the highest that its worker ever held, as the kernel counts it."
    )
    write_section(
        "Memory",
        words,
        table(["process", "after the start", "after all pages"], pages),
        table(["import of a CSV file", "the worker's peak, MiB", "seconds", "rows a second"], imports),
        command=".venv/bin/python -m benchmarks.memory",
    )


if __name__ == "__main__":
    main()
