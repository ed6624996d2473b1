"""Trying an engine once: one sentence for everything that can come of it, and never what the other side wrote."""

import pytest

from goldsmith.serve.trial import try_once
from goldsmith.testing import FakeEngine, Faults

pytestmark = pytest.mark.enable_socket


def test_an_engine_that_answers_says_how_fast() -> None:
    with FakeEngine("large-1", key="right") as engine:
        trial = try_once(engine.url, "right", "large-1")
        first_listed = try_once(engine.url, "right", None)
    assert trial.is_ok
    assert first_listed.is_ok
    assert trial.sentence.startswith("It answered a short question in ")


def test_what_is_wrong_is_said_with_what_to_do() -> None:
    with FakeEngine("large-1", key="right") as engine:
        refused = try_once(engine.url, "wrong", "large-1")
        engine.faults = Faults(answer_500=True)
        failed = try_once(engine.url, "right", "large-1")
        engine.faults = Faults(hang=True)
        silent = try_once(engine.url, "right", "large-1", within_s=0.2)
    assert refused.sentence.startswith("It refuses the key. Make a new key there")
    assert failed.sentence.startswith("It answers with an error of its own.")
    assert silent.sentence.startswith("Nothing answers there")
    assert [trial.is_ok for trial in (refused, failed, silent)] == [False, False, False]


def test_nothing_that_the_other_side_wrote_is_shown() -> None:
    with FakeEngine("large-1", answer=lambda *_: "a secret") as engine:
        assert "secret" not in try_once(engine.url, None, "large-1").sentence
