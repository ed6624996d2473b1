"""What an alias was before, out of rows as they are now and as they were first written."""

from typing import Any

from goldsmith.serve.history import Before, last_step
from goldsmith.serve.tables import DeploymentHistory
from goldsmith.serve.types import Part
from goldsmith.storage import clock


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
