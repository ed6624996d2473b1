"""Words and values of executions. They know no database and no network."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from goldsmith.connect.conquests import Wanted

MAX_CANDIDATES = 10_000
MAX_EXAMPLES = 20
NUM_EXAMPLES = 3
"""For a base model. A fine-tuned one learned without examples before the question, and is asked as it learned."""
MAX_TOKENS = 1024
OF_A_CANDIDATE = "CANDIDATE"


class ResultState(StrEnum):
    """How far it is with one candidate."""

    OPEN = "open"
    ANSWERED = "answered"
    """The answer is kept here, and not in Aristotle yet."""
    STORED = "stored"
    """It is kept there, too."""
    FAILED = "failed"


@dataclass(frozen=True)
class Order:
    """What is asked for: a model, an eidos, candidates, and how."""

    eidos_id: str
    candidate_ids: Sequence[str]
    model_id: str
    philosopher: str | None = None
    domain: str | None = None
    conquest_type: str | None = None
    num_examples: int | None = None
    """None: as many as suit the model."""
    max_tokens: int | None = None
    """None: `MAX_TOKENS`, or half of what the model can hold at once where that is less."""
    temperature: float = 0.0
    is_heard: bool = False
    """Whether somebody reads the answer while it is written; of several candidates nobody does."""

    @property
    def fingerprint(self) -> str:
        """The same for the same order, whether somebody listens or not."""
        said = asdict(self)
        del said["is_heard"]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def distinct_ids(self) -> list[str]:
        """Every candidate once, in the order in which they came."""
        return list(dict.fromkeys(self.candidate_ids))

    def wanted(self, *, domain: str | None, is_tuned: bool) -> Wanted:
        """What has to be looked up; of `domain` alone where one is named."""
        return Wanted(self.eidos_id, self.distinct_ids, self.philosopher, domain or self.domain, is_tuned=is_tuned)
