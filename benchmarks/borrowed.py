"""What benchmarks borrow from a home that has it already: environments of heavy programs, and the base model."""

import os
from pathlib import Path

from benchmarks.measure import ROOT

from goldsmith import app
from goldsmith.environments import folders
from goldsmith.environments.types import EnvironmentName
from goldsmith.errors import GoldsmithError
from goldsmith.models import queries
from goldsmith.models.types import SMOLLM2
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.settings import Settings

LENDER = Path(os.environ.get("GOLDSMITH_TEST_HOME", ROOT / ".goldsmith" / "test-home")).absolute()
"""The home that lends."""
CURE = "Get them with: .venv/bin/python -m tests.real.prepare (or name a home that has them in GOLDSMITH_TEST_HOME)."


def python_of(name: EnvironmentName) -> Path:
    """The interpreter of an environment; ends the program with the cure when it is not there."""
    try:
        return folders.python_of(name, home=LENDER)
    except GoldsmithError as error:
        raise SystemExit(f"{error.message} {CURE}") from None


def base_folder(lender: Path = LENDER) -> Path:
    """The folder of the small model that comes with Goldsmith, as the lender has converted it."""
    try:
        parts = app.assemble(Settings(home=lender))
        with parts.database.reading() as session:
            return queries.folder_of(parts.home, queries.base(session, SMOLLM2.name, domain=DEFAULT_DOMAIN))
    except GoldsmithError as error:
        raise SystemExit(f"{lender}: {error.message} {CURE}") from None
