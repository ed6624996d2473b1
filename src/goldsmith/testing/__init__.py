"""Stand-ins that are shipped, so that everything can be tried without a model.

    with FakeEngine("bm_1", answer=lambda model, messages, body: "yes") as engine:
        ...  # engine.url speaks vLLM's API

    with FakeHub() as hub:
        ...  # hub.url speaks what a model hub speaks

    with FakeProvider() as provider:
        ...  # provider.url speaks OpenAI's fine-tuning API

As a program in place of vLLM: `python -m goldsmith.testing --port N`.
"""

from goldsmith.testing.fake_answers import answers_from, default_answer, split_row
from goldsmith.testing.fake_engine import FakeEngine, Faults
from goldsmith.testing.fake_hub import FakeHub
from goldsmith.testing.fake_provider import FakeProvider, Fault
from goldsmith.testing.small_model import write_small_model

__all__ = [
    "FakeEngine",
    "FakeHub",
    "FakeProvider",
    "Fault",
    "Faults",
    "answers_from",
    "default_answer",
    "split_row",
    "write_small_model",
]
