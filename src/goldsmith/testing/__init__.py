"""Stand-ins that are shipped, so that everything can be tried without a model.

    with FakeEngine("bm_1", answer=lambda model, messages, body: "yes") as engine:
        ...  # engine.url speaks vLLM's API

As a program in place of vLLM: `python -m goldsmith.testing --port N`.
"""

from goldsmith.testing.fake_answers import answers_from, default_answer, split_row
from goldsmith.testing.fake_engine import FakeEngine, Faults
from goldsmith.testing.small_model import write_small_model

__all__ = ["FakeEngine", "Faults", "answers_from", "default_answer", "split_row", "write_small_model"]
