"""What every process loads at its start stays small: heavy libraries are imported where they are used."""

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "trl", "peft", "vllm", "scipy", "numpy", "alembic", "aiohttp", "pyarrow", "fastapi"}


@pytest.mark.parametrize("module", ["goldsmith.app", "goldsmith.cli.main", "goldsmith.jobs.supervisor"])
def test_nothing_heavy_is_loaded_at_the_start(module: str) -> None:
    program = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(json.loads(result.stdout)) & HEAVY == set()
