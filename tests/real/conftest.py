"""What the real tests share: the prepared home, the converted model, one walk around the loop with a live engine.

Skipped with the reason where the home was not prepared; where CI=true that is a failure.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.accounts import REAL_TALLY, Tally
from tests.real.homes import ENVIRONMENTS, TEST_HOME
from tests.real.walk import Walk, walk_the_loop

from goldsmith import app
from goldsmith.environments import folders
from goldsmith.environments.types import EnvironmentName
from goldsmith.models import queries
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.settings import Settings
from goldsmith.testing.contracts.job_folder import Trainer
from goldsmith.testing.contracts.trainings import NUM_EPOCHS, Unbroken, train_unbroken

BUILTIN = "smollm2-135m-instruct"
IS_CI = os.environ.get("CI") == "true"
IS_LEFT_OUT = IS_CI and not os.environ.get("GOLDSMITH_BENCH_DATA")
"""Where CI=true a skipped test fails the run: the one whose data nobody has is not collected, and that is said."""


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the one test that needs data which is not part of the product."""
    return True if IS_LEFT_OUT and collection_path.name == "test_banking77.py" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    if IS_LEFT_OUT:
        terminalreporter.write_line("left out: test_banking77.py, because GOLDSMITH_BENCH_DATA names no folder")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole loop come last, so that a broken part is named by its own test first; kills after them."""
    items.sort(key=lambda item: ("test_kills" in item.nodeid, "test_the_loop" in item.nodeid))


@pytest.fixture(scope="session", autouse=True)
def _tally(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Count at the end what was real."""
    yield
    request.config.stash[REAL_TALLY] = Tally.of(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def real_home() -> Path:
    """A home with environments and the base model."""
    missing = [name for name in ENVIRONMENTS if not folders.find(name, home=TEST_HOME).is_installed]
    if missing:
        reason = f"{TEST_HOME} has no environment {', '.join(missing)}; run: make test"
        if IS_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    return TEST_HOME


@pytest.fixture(scope="session")
def trl_python(real_home: Path) -> Path:
    """The interpreter of the trainer's environment."""
    return folders.python_of(EnvironmentName.TRL, home=real_home)


@pytest.fixture(scope="session")
def smollm2_folder(real_home: Path) -> Path:
    """The converted base model."""
    parts = app.assemble(Settings(home=real_home))
    with parts.database.reading() as session:
        return queries.folder_of(parts.home, queries.base(session, BUILTIN, domain=DEFAULT_DOMAIN))


@pytest.fixture(scope="session")
def unbroken_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Trainer], Unbroken]:
    """The contract's training that nothing disturbs, made once for each backend."""
    made: dict[str, Unbroken] = {}

    def find(trainer: Trainer) -> Unbroken:
        name = trainer.backend.name
        if name not in made:
            made[name] = train_unbroken(trainer, tmp_path_factory.mktemp(name) / "job", num_epochs=NUM_EPOCHS)
        return made[name]

    return find


@pytest.fixture(scope="session")
def walk(real_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One walk around the loop in a home of its own: real training, real engine, which still runs."""
    with walk_the_loop(real_home, tmp_path_factory.mktemp("home")) as walked:
        yield walked


@pytest.fixture(scope="session")
def trained_adapter(walk: Walk) -> Path:
    """The folder of the model that the walk trained."""
    return walk.model_folder
