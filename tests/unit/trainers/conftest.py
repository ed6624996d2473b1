"""A provider that stands in for a real one, and the program that speaks to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.training_at_provider import KEY, trainer_at

from goldsmith import app
from goldsmith.testing import FakeProvider
from goldsmith.testing.contracts.job_folder import Trainer


@pytest.fixture
def there() -> Iterator[FakeProvider]:
    with FakeProvider(key=KEY) as provider:
        yield provider


@pytest.fixture
def trainer(there: FakeProvider, tmp_path: Path) -> Trainer:
    (tmp_path / "secrets").mkdir()
    return trainer_at(there, app.make_backends()["openai"], tmp_path / "secrets")
