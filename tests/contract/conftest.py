"""What is asserted in a suite that others run is told as well as in a test file."""

import pytest
from tests.unit.serve.conftest import base, by, fake_program, make_model, tokenizer_text

__all__ = ["base", "by", "fake_program", "make_model", "tokenizer_text"]
"""Fixtures of the tests of serving: a home with a tiny base model, tuned ones, and the fake in place of vLLM."""

pytest.register_assert_rewrite(
    "goldsmith.testing.contracts.trainings",
    "goldsmith.testing.contracts.job_folder",
    "goldsmith.testing.contracts.sources",
    "goldsmith.testing.contracts.measures",
)
