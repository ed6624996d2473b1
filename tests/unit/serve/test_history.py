"""What an alias was before, out of rows as they are now and as they were first written."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from goldsmith.people.types import Person
from goldsmith.serve import history
from goldsmith.serve.history import Before, last_step
from goldsmith.serve.tables import DeploymentHistory
from goldsmith.serve.types import HistoryAction, Part
from goldsmith.storage import clock
from goldsmith.storage.database import Database


def entry(
    seq: int, action: str, model_id: str, previous: str | None = None, config: dict[str, Any] | None = None
) -> DeploymentHistory:
    return DeploymentHistory(
        id=f"his_{seq}",
        seq=seq,
        model_id=model_id,
        previous_model_id=previous,
        philosopher="Ada",
        domain="local",
        action=action,
        deployment_config={"alias": "default", **(config or {})},
        deployed_by="per_1",
        notes="",
        deployed_at=clock.now(),
    )


def test_two_who_append_at_once_wait_for_each_other(database: Database, by: Person) -> None:
    is_first_in, began = threading.Event(), threading.Event()

    def append() -> int:
        with database.transaction() as session:
            return history.record(session, HistoryAction.DEPLOY, "bm_1", by=by, config={}).seq

    def append_second() -> int:
        assert is_first_in.wait(10)
        began.set()
        return append()

    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(append_second)
        with database.transaction() as session:
            first = history.record(session, HistoryAction.DEPLOY, "bm_1", by=by, config={}).seq
            is_first_in.set()
            assert began.wait(10)
            time.sleep(0.2)  # so that the second one asks for its number before this one is there
        assert {first, second.result(10)} == {1, 2}


def test_rows_without_what_was_before_are_read_by_their_previous_model() -> None:
    rows = [entry(3, "deploy", "c", "b"), entry(2, "deploy", "b", "a"), entry(1, "deploy", "a")]
    assert last_step(rows) == Before(3, (Part("b", 1.0),))
    assert last_step([entry(4, "rollback", "b", "c"), *rows]) == Before(2, (Part("a", 1.0),))
    assert last_step([entry(5, "rollback", "a", "b"), entry(4, "rollback", "b", "c"), *rows]) is None


def test_a_roll_back_over_several_steps_is_one() -> None:
    def to(*parts: tuple[str, float]) -> list[dict[str, Any]]:
        return [{"model_id": model_id, "share": share} for model_id, share in parts]

    rows = [
        entry(4, "rollback", "a", None, {"from": to(("a", 0.75), ("b", 0.25)), "to": to(("a", 1.0)), "undoes": 2}),
        entry(3, "deploy", "b", None, {"from": to(("a", 0.95), ("b", 0.05)), "to": to(("a", 0.75), ("b", 0.25))}),
        entry(2, "deploy", "b", None, {"from": to(("a", 1.0)), "to": to(("a", 0.95), ("b", 0.05))}),
        entry(1, "deploy", "a", None, {"from": to(("z", 1.0)), "to": to(("a", 1.0))}),
    ]
    assert last_step(rows) == Before(1, (Part("z", 1.0),))


def test_nothing_was_before_the_first() -> None:
    assert last_step([]) is None
    assert last_step([entry(1, "deploy", "a", None, {"from": [], "to": [{"model_id": "a", "share": 1.0}]})]) is None
