"""The sample that comes with Goldsmith: messages with right answers, and the prompt that goes with them.

It lies beside the demo, which stands above the web; so it is looked up by name, as data is.
"""

import pkgutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from goldsmith.data.tables import DatasetVersion
from goldsmith.run.types import PromptDraft

ANSWER_COLUMN = "expected"


@dataclass(frozen=True)
class Sample:
    """A file of rows, what it is called, and what one asks about them."""

    path: Path
    name: str
    draft: PromptDraft

    def is_source_of(self, version: DatasetVersion) -> bool:
        """Whether a dataset version was made from this file."""
        return version.source_name == self.path.name


@cache
def sample() -> Sample:
    """The sample."""
    story: Any = pkgutil.resolve_name("goldsmith.demo.story")
    draft = PromptDraft(story.PROMPT_TEMPLATE, story.SYSTEM_TEXT, story.ANSWER_SCHEMA)
    return Sample(story.rows_path(), story.DATASET_NAME, draft)
