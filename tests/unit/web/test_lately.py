"""Lines about what changed by itself."""

import pytest

from goldsmith.serve.tables import DeploymentHistory
from goldsmith.storage import clock
from goldsmith.web.lately import history_line


@pytest.mark.parametrize(
    ("action", "words", "meta", "look"),
    [
        ("deploy", "smol was deployed", "by Ada", "info"),
        ("undeploy", "smol was taken off the engine", "by Ada", "info"),
        ("crash", "The engine of smol died", "Killed", "warn"),
        ("restart", "The engine of smol answers again", "Killed", "info"),
    ],
)
def test_a_change_is_a_sentence_with_who_did_it_or_why(action: str, words: str, meta: str, look: str) -> None:
    entry = DeploymentHistory(
        model_id="base_1",
        action=action,
        philosopher="Ada",
        notes="Killed",
        deployment_config={},
        deployed_at=clock.now(),
    )
    line = history_line(entry, {"base_1": "smol"})
    assert (line.words, line.meta, line.look, line.href) == (words, meta, look, "/models/base_1")
