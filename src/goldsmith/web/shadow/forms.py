"""The form that has a second model answer along."""

from typing import Annotated

from pydantic import Field

from goldsmith.serve.kept.types import MAX_DAYS
from goldsmith.serve.shadow.types import MAX_AT_ONCE, MAX_WITHIN_S, Shadow
from goldsmith.web.forms import FormModel

FIRST = {"percent": 5, "max_at_once": 2, "within_s": 60, "days": 14}
"""How the form begins."""


class ShadowForm(FormModel):
    """Which model answers along, and how much it may take."""

    model: Annotated[str, Field(min_length=1, max_length=64, title="The model that answers along")]
    percent: Annotated[float, Field(gt=0, le=100, title="Share of the requests, in %")]
    max_at_once: Annotated[int, Field(ge=1, le=MAX_AT_ONCE, title="Copies at the same time, at most")]
    """What comes while so many are under way is not copied. Few of them leave the engine to the callers."""
    within_s: Annotated[float, Field(ge=1, le=MAX_WITHIN_S, title="Seconds an answer may take")]
    """A slower one is broken off, and counts as an error."""
    days: Annotated[int, Field(ge=1, le=MAX_DAYS, title="Days that pairs are kept")]

    @property
    def shadow(self) -> Shadow:
        """As the service takes it."""
        return Shadow(self.model, self.percent / 100, self.max_at_once, self.within_s, self.days)
