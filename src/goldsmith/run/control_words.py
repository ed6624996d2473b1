"""Control words of a model in people's texts: the model reads them as turns of the chat, so a run names them.

`RunKind(word_finder=finder_for)` is how `app.py` puts it in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from goldsmith.models import queries as model_queries
from goldsmith.models.tables import BaseModel, FineTunedModel
from goldsmith.storage.files import Home

WordFinder = Callable[[str], list[str]]
MAX_NAMED = 20


@dataclass
class ControlWords:
    """The first rows of a run whose text holds a control word, each with the word."""

    found: dict[int, str] = field(default_factory=dict)

    @classmethod
    def from_list(cls, entries: Iterable[Mapping[str, Any]]) -> "ControlWords":
        """What an earlier attempt found."""
        return cls({int(entry["row"]): str(entry["word"]) for entry in entries})

    def look(self, position: int, messages: Sequence[Mapping[str, str]], find: WordFinder) -> None:
        """Look at one row, unless enough are named."""
        if len(self.found) >= MAX_NAMED or position in self.found:
            return
        words = [word for message in messages for word in find(message["content"])]
        if words:
            self.found[position] = words[0]

    def to_list(self) -> list[dict[str, Any]]:
        """For the job's result: `[{"row": 7, "word": "<|im_end|>"}]`."""
        return [{"row": row, "word": word} for row, word in sorted(self.found.items())]


def finder_for(session: Session, home: Home, model_id: str) -> WordFinder | None:
    """What finds the control words of a model; None for a provider, whose words nobody knows."""
    model = session.get(FineTunedModel, model_id)
    base = session.get(BaseModel, model.base_model_id if model is not None else model_id)
    if base is None:
        return None
    from goldsmith.models.rendering import Renderer

    folder = model_queries.folder_of(home, base)
    return Renderer.open(folder).find_control_words if folder.exists() else None
