"""Something that happened, as a line of a list: on the home page and in Activity. Knows no page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from goldsmith.serve.tables import DeploymentHistory
from goldsmith.serve.types import HistoryAction
from goldsmith.web import alias_words

BY_ITSELF: Final = frozenset({HistoryAction.CRASH.value, HistoryAction.RESTART.value})


@dataclass(frozen=True)
class LatelyLine:
    """Something that happened."""

    at: datetime
    icon: str
    look: str
    words: str
    href: str
    meta: str


def history_line(entry: DeploymentHistory, names: Mapping[str, str]) -> LatelyLine:
    """What changed about what is live, with who did it, or why it happened by itself."""
    icon, look = ("target" if entry.deployment_config.get("alias") else "plug"), "info"
    if entry.action == HistoryAction.CRASH.value:
        icon, look = "warn", "warn"
    meta = entry.notes if entry.action in BY_ITSELF else f"by {entry.philosopher}"
    words = alias_words.sentence(entry, names)
    return LatelyLine(entry.deployed_at, icon, look, words, f"/models/{entry.model_id}", meta)
