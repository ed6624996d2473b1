"""What the page of kept traffic shows, made from rows. Knows no request and asks no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from goldsmith.serve.kept.tables import KeepingRule, KeptExchange
from goldsmith.web.format import counted, number
from goldsmith.web.forms import FormField
from goldsmith.web.listing import Chip, Head, Pager
from goldsmith.web.pages import Page

MAX_SHOWN_CHARACTERS = 300
_HIDDEN = {"email": "e-mail addresses", "phone": "phone numbers", "iban": "bank accounts", "card": "card numbers"}


@dataclass(frozen=True)
class RuleLine:
    """A rule in words."""

    alias: str
    about: str
    is_on: bool
    what: str
    dropped: str
    who: str
    changed_at: datetime


@dataclass(frozen=True)
class KeptLine:
    """A kept request."""

    id: str
    question: str
    answer: str
    hidden: str
    model: str
    alias: str
    at: datetime


@dataclass(frozen=True)
class KeptPage(Page):
    """What is kept, and what was."""

    template: ClassVar[str] = "kept/kept.html"
    current: ClassVar[str] = "kept"
    rules: tuple[RuleLine, ...]
    is_on: bool
    fields: tuple[FormField, ...]
    lines: tuple[KeptLine, ...]
    num_kept: int
    alias: str | None
    """The requests of this alias only are shown."""
    filters: tuple[Chip, ...]
    heads: tuple[Head, ...]
    pager: Pager


def rule_line(rule: KeepingRule, who: str) -> RuleLine:
    """A rule as it is shown."""
    hidden = [words for name, words in _HIDDEN.items() if name in rule.hides]
    taken_out = f"without {', '.join(hidden)}" if hidden else "with everything that people write"
    kept = f"{100 * rule.share:g} % is kept for {counted(rule.days, 'day')}, {taken_out}"
    return RuleLine(
        alias=rule.alias,
        about=f"Requests to {rule.alias}" if rule.alias else "All requests that have no rule of their own",
        is_on=rule.share > 0,
        what=kept if rule.share > 0 else "nothing is kept",
        dropped=f"{number(rule.num_dropped)} found no room and were not kept" if rule.num_dropped else "",
        who=who,
        changed_at=rule.changed_at,
    )


def kept_line(row: KeptExchange, names: Mapping[str, str]) -> KeptLine:
    """A kept request as it is shown."""
    return KeptLine(
        id=row.id,
        question=_short(row.question),
        answer=_short(row.answer),
        hidden=counted(row.num_hidden, "part taken out", "parts taken out") if row.num_hidden else "",
        model=names.get(row.model_id, row.model_id),
        alias=row.alias,
        at=row.at,
    )


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"
