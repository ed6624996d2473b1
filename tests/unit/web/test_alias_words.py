from typing import Any

import pytest

from goldsmith.serve.tables import DeploymentHistory
from goldsmith.web import alias_words

NAMES = {"a": "support-1", "b": "support-2"}
WHOLE, SPLIT = [{"model_id": "a", "share": 1.0}], [{"model_id": "a", "share": 0.95}, {"model_id": "b", "share": 0.05}]


def entry(config: dict[str, Any], action: str = "deploy") -> DeploymentHistory:
    return DeploymentHistory(model_id="b", previous_model_id="a", action=action, deployment_config=config)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (entry({"alias": "x", "from": [], "to": WHOLE}), "x leads to support-1"),
        (
            entry({"alias": "x", "from": WHOLE, "to": SPLIT}),
            "x leads to 95 % support-1, 5 % support-2, before: support-1",
        ),
        (
            entry({"alias": "x", "from": SPLIT, "to": WHOLE}, "rollback"),
            "x again leads to support-1, before: 95 % support-1, 5 % support-2",
        ),
        (entry({"alias": "x", "from": WHOLE, "to": []}, "undeploy"), "x was removed, before: support-1"),
        (entry({"alias": "x", "from": [], "to": WHOLE, "forced": ["a"]}), "x leads to support-1, forced without proof"),
        (entry({"alias": "default"}), "default leads to support-2, before: support-1"),
    ],
)
def test_a_change_says_what_it_leads_to_and_what_was_before(row: DeploymentHistory, words: str) -> None:
    assert alias_words.change(row, NAMES) == words


def test_a_title_is_short() -> None:
    whole = [{"model_id": "b", "share": 1.0}]
    assert alias_words.title(entry({"alias": "default", "from": WHOLE, "to": whole}), NAMES) == (
        "support-2 became the default"
    )
    split = entry({"alias": "default", "from": WHOLE, "to": SPLIT})
    assert alias_words.title(split, NAMES) == "default leads to 95 % support-1, 5 % support-2"
