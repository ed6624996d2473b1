"""Control words of chat templates inside texts: they came with a copy, and a model may take them for its own.

Those of the model that is trained are refused by the rendering; here are those of every model that we know.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from goldsmith.stars.types import Example, Finding

TITLE: Final = "Texts that hold control words of a chat template"
CANNOT_SEE: Final = (
    "Markers that are ordinary words or HTML, such as <s> or Human:, and those of templates unknown to it."
)
_MARKER = re.compile(
    r"<\|[a-z][a-z0-9_]{1,30}\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|"
    r"^### (?:Instruction|Response):|<\uff5c[^<>\uff5c]{1,40}\uff5c>",
    re.MULTILINE,
)


def find(examples: Sequence[Example]) -> Iterable[Finding]:
    """Each example with one, and which."""
    for example in examples:
        places = [*((turn["role"], turn["content"]) for turn in example.asked), ("answer", example.expected)]
        for where, text in places:
            marker = _MARKER.search(text)
            if marker is not None:
                words = f"{marker[0]} stands in the text ({where})."
                yield Finding(example.run_id, example.position, example.answer_id, words)
                break
