"""A mark as the API shows it: with an answer in the list of a run, and alone when it was just made."""

from datetime import datetime

from goldsmith.stars.types import MarkKind
from goldsmith.web.answers import ApiAnswer


class MarkAnswer(ApiAnswer):
    """What somebody said about an answer, and how the answer stands after it."""

    id: int
    answer_id: str
    kind: MarkKind
    is_star: bool
    is_bad: bool
    correction: str | None
    note: str | None
    undone_id: int | None
    via: str
    created_by: str
    created_at: datetime
