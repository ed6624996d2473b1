"""A run of tests cannot pass over in silence what it should have shown; its steps and their budgets agree."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests import budget
from tests.accounts import Tally

from goldsmith.wire.events import EventKind, Writer

ROOT = Path(__file__).parents[2]
CONFTEST = """
from tests import accounts

def pytest_configure(config):
    config.addinivalue_line("markers", "real: real")
    accounts.register(config)
"""
TESTS = """
import pytest

@pytest.mark.real
def test_one(): pass

@pytest.mark.real
def test_two(request):
    if request.config.getoption("-k") == "":
        pytest.skip("there is no engine")

@pytest.mark.real
@pytest.mark.xfail(strict=True)
def test_known(): raise ValueError
"""


def run(folder: Path, step: str, *more: str, ci: str = "true") -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TESTS)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "CI": ci, "GOLDSMITH_TEST_STEP": step}
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), *more]
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_skipped_test_fails_a_guarded_step_of_ci(tmp_path: Path) -> None:
    code, said = run(tmp_path, "real")
    assert code == 1
    assert "FAILED because CI=true and: test_it.py::test_two (skipped)" in said
    assert "real: 1 tests passed" in said
    assert "test_known" not in said.partition("FAILED because")[2]


@pytest.mark.parametrize(("step", "ci"), [("real", ""), ("quick", "true")])
def test_elsewhere_a_skipped_test_fails_nothing(tmp_path: Path, step: str, ci: str) -> None:
    assert run(tmp_path, step, ci=ci)[0] == 0


def test_a_deselected_test_fails_the_real_step_of_ci(tmp_path: Path) -> None:
    code, said = run(tmp_path, "real", "-k", "one")
    assert code == 1
    assert "test_it.py::test_two (deselected)" in said


def test_what_was_real_is_counted_on_disk(tmp_path: Path) -> None:
    for name, program in (("real", "goldsmith.trainers.trl_sft"), ("pretended", "goldsmith.trainers.fake")):
        attempt = tmp_path / name / "jobs" / "job_1" / "attempts" / "1"
        attempt.mkdir(parents=True)
        (attempt.parents[1] / "job.json").write_text(json.dumps({"program": program}))
        say = Writer(attempt / "events.jsonl").append
        say(EventKind.STARTED)
        say(EventKind.STEP, step=1)
        say(EventKind.STEP, step=2)
    (tmp_path / "real" / "engines" / "eng_1").mkdir(parents=True)
    (tmp_path / "real" / "engines" / "eng_1" / "log").write_text("--- start on port 1, ranks up to 8\nready\n" * 2)
    assert Tally.of(tmp_path) == Tally(trainings=1, training_steps=2, engine_starts=2, answers=0)
    assert str(Tally.of(tmp_path)) == "1 trainings, 2 training steps, 2 engine starts, 0 answers"
    assert Tally.of(tmp_path).lacks == ["answers"]


def test_every_step_has_a_budget_and_every_budget_a_step() -> None:
    steps = re.findall(r"^step (\w+) ", (ROOT / "tests" / "run_all.sh").read_text(), flags=re.MULTILINE)
    assert steps == list(budget.budgets())


def test_times_stand_beside_their_budgets() -> None:
    said = list(budget.compare(["quick 90", "real 6000", "new 30"]))
    assert said[0].split() == ["quick", "1.5", "min", "of", "5"]
    assert said[1].endswith("OVER")
    assert "no budget" in said[2]
    assert said[3].split()[:2] == ["all", "102.0"]


@pytest.mark.xdist_group("together")
def test_tests_of_one_group_share_a_worker(request: pytest.FixtureRequest) -> None:
    """Workers are told of a group by the test's name; without it a costly fixture is made in each of them."""
    in_workers = request.config.getoption("dist", "no") != "no" or "PYTEST_XDIST_WORKER" in os.environ
    assert request.node.nodeid.endswith("@together") == in_workers
