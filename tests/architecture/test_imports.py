"""What every process loads at its start stays small: heavy libraries are imported where they are used."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import goldsmith

WEB_NEEDS = {"fastapi"}
HEAVY = {
    *("torch", "transformers", "trl", "peft", "vllm", "scipy", "numpy", "alembic", "aiohttp", "pyarrow", "tokenizers"),
    *("jsonschema", "python_calamine", "charset_normalizer", "psycopg", *WEB_NEEDS),
}
PRINT_LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"
SERVE_TWO_PAGES = """
import threading, time, urllib.request
from goldsmith import app
from goldsmith.web.server import listen, make_server
parts = app.assemble()
socket = listen(0)
server = make_server(app.make_asgi(parts))
answers = []
def ask():
    try:
        while not server.started:
            time.sleep(0.05)
        for path in ("/healthz", "/hello"):
            address = f"http://127.0.0.1:{socket.getsockname()[1]}{path}"
            answers.append(urllib.request.urlopen(address, timeout=30).status)
    finally:
        server.should_exit = True
asking = threading.Thread(target=ask)
asking.start()
server.run(sockets=[socket])
asking.join()
assert answers == [200, 200], answers
"""


def loaded_by(program: str, **env: str) -> set[str]:
    """Every module that a program loads."""
    argv = [sys.executable, "-c", f"{program}\n{PRINT_LOADED}"]
    result = subprocess.run(argv, capture_output=True, text=True, check=True, env={**os.environ, **env}, timeout=120)
    return set(json.loads(result.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", ["goldsmith.app", "goldsmith.cli.main", "goldsmith.jobs.supervisor"])
def test_nothing_heavy_is_loaded_at_the_start(module: str) -> None:
    assert loaded_by(f"import {module}") & HEAVY == set()


def test_no_command_loads_anything_heavy_before_it_is_called() -> None:
    assert loaded_by("from goldsmith.cli.main import make_root; make_root()") & HEAVY == set()


def test_a_command_does_not_load_the_others() -> None:
    loaded = loaded_by("from goldsmith.cli.main import make_root; make_root('up')")
    assert {name for name in loaded if name.startswith("goldsmith.cli.")} == {
        *("goldsmith.cli.main", "goldsmith.cli.console", "goldsmith.cli.processes"),
    }


def test_the_parts_are_put_together_without_loading_a_step_of_the_loop(tmp_path: Path) -> None:
    program = "from goldsmith import app; parts = app.assemble(); app.prepare_database(parts)"
    first, second = (loaded_by(program, GOLDSMITH_HOME=str(tmp_path)) for _ in range(2))
    assert "alembic" in first, "the first start makes the database"
    assert second & HEAVY == set()
    steps = {f"goldsmith.{step}" for step in ("data", "models", "serve", "run", "stars", "train", "compare", "web")}
    assert second & steps == set()


def test_the_web_starts_and_answers_without_loading_anything_heavy(tmp_path: Path) -> None:
    loaded_by("from goldsmith import app; app.prepare_database(app.assemble())", GOLDSMITH_HOME=str(tmp_path))
    loaded = loaded_by(SERVE_TWO_PAGES, GOLDSMITH_HOME=str(tmp_path))
    assert "fastapi" in loaded
    assert loaded & (HEAVY - WEB_NEEDS) == set()


@pytest.mark.parametrize(
    "path", sorted(Path(goldsmith.__file__).parent.glob("*/tables.py")), ids=lambda path: path.parent.name
)
def test_a_table_of_another_step_is_referred_to_by_its_class(path: Path) -> None:
    """So that whoever loads these tables has all that they refer to; a name would be looked up too late."""
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r'ForeignKey\("(\w+)\.', text))
    assert named <= set(re.findall(r'__tablename__ = "(\w+)"', text))


def test_the_child_that_reads_previews_loads_little() -> None:
    loaded = loaded_by("import goldsmith.data.previewing")
    assert loaded & (HEAVY | {"pydantic", "sqlalchemy"}) == set()
