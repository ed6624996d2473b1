"""The backend keeps what every training backend promises."""

import sys
from pathlib import Path

import pytest

from goldsmith.testing.contracts.job_folder import Trainer
from goldsmith.testing.contracts.trainings import TrainingContract
from goldsmith_example.counting import Counting


class TestCounting(TrainingContract):
    @pytest.fixture(scope="class")
    @classmethod
    def trainer(cls, tmp_path_factory: pytest.TempPathFactory) -> Trainer:
        return Trainer(Counting(), Path(sys.executable), tmp_path_factory.mktemp("base"))
