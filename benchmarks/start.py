"""How long it takes until Goldsmith answers: importing it, `goldsmith web` alone, `goldsmith up`, and the first start.

Beside it stands a bare application of the same libraries (`bare_app.py`), measured in the same rounds.
"""

import subprocess
import sys
import time
from collections.abc import Mapping

from benchmarks.measure import interleaved, table, write_section
from benchmarks.servers import empty_home, free_port, served

GOALS_S = {"import goldsmith.app": 1.0, "goldsmith up answers /healthz": 3.0}
BARE_IMPORT = "import fastapi, sqlalchemy.orm, jinja2, uvicorn"


def import_s(program: str) -> float:
    """A whole Python that only imports."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - began


def start_s(command: str, env: Mapping[str, str]) -> float:
    """Until the first answer of a command of Goldsmith."""
    with served(["-m", "goldsmith", command], port=int(env["GOLDSMITH_PORT"]), env=env) as server:
        return server.start_s


def first_start_s() -> float:
    """`goldsmith up` in an empty home, where it makes its database."""
    with empty_home() as env:
        return start_s("up", env)


def bare_start_s(env: Mapping[str, str]) -> float:
    """The bare application."""
    port = free_port()
    with served(["-m", "benchmarks.bare_app", str(port)], port=port, env=env) as server:
        return server.start_s


def main() -> None:
    """Measure, and write the section."""
    with empty_home() as env:
        start_s("up", env)  # so that the database is there and every file has been read once
        found = interleaved(
            {
                "import goldsmith.app": lambda: import_s("import goldsmith.app"),
                "import of the bare application's libraries": lambda: import_s(BARE_IMPORT),
                "goldsmith up answers /healthz": lambda: start_s("up", env),
                "goldsmith web answers /healthz": lambda: start_s("web", env),
                "the bare application answers /healthz": lambda: bare_start_s(env),
                "goldsmith up in an empty home": first_start_s,
            }
        )
    rows = [
        [name, measured.text("s"), f"under {GOALS_S[name]:.0f} s" if name in GOALS_S else ""]
        for name, measured in found.items()
    ]
    words = (
        "Each is a whole process, from its start to the end of its import or to its first answer; the files have been "
        "read before. The bare application is `benchmarks/bare_app.py`: the same libraries with one table and two "
        "addresses."
    )
    write_section("Start", words, table(["", "median (range) of five", "goal"], rows), command=command())


def command() -> str:
    """How this was called."""
    return ".venv/bin/python -m benchmarks.start"


if __name__ == "__main__":
    main()
