"""How often an engine may be lost."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from goldsmith.jobs.errors import JobFailed
from goldsmith.run import waiting
from goldsmith.run.errors import EngineGone

NOBODY = cast("Any", None)


@pytest.fixture(autouse=True)
def _engine_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "wait_for_engines", lambda *_, **__: [SimpleNamespace(is_ours=True)])


def ask(counts: list[int]) -> int:
    """Ask an engine that is lost once for each count of answers, then not; how often it was asked."""
    left: Iterator[int] = iter(counts)
    state = {"asked": 0, "done": 0}

    def once(_target: Any) -> None:
        state["asked"] += 1
        done = next(left, None)
        if done is not None:
            state["done"] = done
            raise EngineGone("it is gone")

    waiting.ask_through_losses(NOBODY, "bm_1", once, num_done=lambda: state["done"])
    return state["asked"]


def test_losses_with_answers_in_between_do_not_add_up() -> None:
    assert ask([10, 20, 30, 40, 50]) == 6


def test_three_losses_without_an_answer_end_it() -> None:
    assert ask([0, 0]) == 3
    with pytest.raises(JobFailed, match="it is gone"):
        ask([0, 0, 0])
