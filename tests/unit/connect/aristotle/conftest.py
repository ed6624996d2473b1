"""A synthetic database of Aristotle for one test, in each generation."""

from tests.aristotle import aristotle, make_synthetic, synthetic

__all__ = ["aristotle", "make_synthetic", "synthetic"]
