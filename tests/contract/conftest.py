"""What the contracts need of other tests."""

from tests.unit.serve.conftest import base, by, fake_program, make_model, tokenizer_text

__all__ = ["base", "by", "fake_program", "make_model", "tokenizer_text"]
"""Fixtures of the tests of serving: a home with a tiny base model, tuned ones, and the fake in place of vLLM."""
