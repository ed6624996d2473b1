"""The contract of training backends, in full, over every backend that has an environment of its own, on the real model.

Which there are is asked of the registry.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.real.homes import BACKENDS, environment_of

from goldsmith.environments import folders
from goldsmith.testing.contracts.job_folder import Trainer
from goldsmith.testing.contracts.trainings import TrainingContract, Unbroken

pytestmark = pytest.mark.real

HEAVY = [name for name in BACKENDS if environment_of(name) is not None]


class TestHeavyBackends(TrainingContract):
    @pytest.fixture(scope="class", params=HEAVY)
    @classmethod
    def trainer(cls, request: pytest.FixtureRequest, real_home: Path, smollm2_folder: Path) -> Trainer:
        environment = environment_of(request.param)
        assert environment is not None
        return Trainer(BACKENDS[request.param], folders.python_of(environment, home=real_home), smollm2_folder)

    @pytest.fixture(scope="class")
    @classmethod
    def unbroken(cls, trainer: Trainer, unbroken_of: Callable[[Trainer], Unbroken]) -> Unbroken:
        return unbroken_of(trainer)
