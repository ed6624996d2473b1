"""The forms of kept traffic: a rule, and a dataset of what was asked."""

from typing import Annotated

from pydantic import Field

from goldsmith.serve.kept.types import MAX_DAYS, Hidden, Keeping
from goldsmith.web.forms import FormModel

FIRST = {"percent": 5, "days": 14, "email": True, "phone": True, "iban": True, "card": True}
"""How the form begins: nothing is kept before somebody sends it."""


class RuleForm(FormModel):
    """What is kept of which requests."""

    alias: Annotated[str, Field(max_length=64, title="Requests to")] = ""
    percent: Annotated[float, Field(ge=0, le=100, title="Share that is kept, in %")]
    """0: nothing is kept. 5: every twentieth request, picked by chance."""
    days: Annotated[int, Field(ge=1, le=MAX_DAYS, title="Days")]
    """So long each one is kept; then it is deleted by itself."""
    email: Annotated[bool, Field(title="E-mail addresses")]
    phone: Annotated[bool, Field(title="Phone numbers")]
    iban: Annotated[bool, Field(title="Bank accounts (IBAN)")]
    card: Annotated[bool, Field(title="Card numbers")]

    @property
    def keeping(self) -> Keeping:
        """The rule that is meant."""
        chosen = {Hidden.EMAIL: self.email, Hidden.PHONE: self.phone, Hidden.IBAN: self.iban, Hidden.CARD: self.card}
        return Keeping(self.percent / 100, self.days, tuple(each for each, is_on in chosen.items() if is_on))
