import pytest

pytest.register_assert_rewrite(
    "goldsmith.testing.contracts.sources",
    "goldsmith.testing.contracts.measures",
    "goldsmith.testing.contracts.trainings",
    "goldsmith.testing.contracts.job_folder",
    "goldsmith.testing.contracts.interrupted",
)
