"""What the page of a shadow shows, made from rows and values. Knows no request and asks no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from goldsmith.serve.shadow.tables import ShadowPair, ShadowRule
from goldsmith.serve.shadow.types import Measures, Side
from goldsmith.web.format import UNMEASURED, counted, duration, number
from goldsmith.web.forms import FormField
from goldsmith.web.listing import Head, Pager
from goldsmith.web.pages import Page

MAX_SHOWN_CHARACTERS = 300


@dataclass(frozen=True)
class SideLine:
    """What was measured of one side."""

    name: str
    answers: str
    errors: str
    invalid_json: str
    time: str
    length: str


@dataclass(frozen=True)
class PairLine:
    """A request with both answers."""

    id: str
    question: str
    sent: str
    shadow: str
    error: str
    is_same: bool
    times: str
    at: datetime


@dataclass(frozen=True)
class ShadowPage(Page):
    """An alias's shadow: how it does, and the pairs."""

    template: ClassVar[str] = "shadow/shadow.html"
    current: ClassVar[str] = "models"
    alias: str
    is_on: bool
    sentence: str
    """Empty: there never was one."""
    sides: tuple[SideLine, ...]
    side_heads: tuple[Head, ...]
    same: str
    pairs: tuple[PairLine, ...]
    pair_heads: tuple[Head, ...]
    pager: Pager
    fields: tuple[FormField, ...]
    """Empty: there is no other model that could answer along."""


def sentence(rule: ShadowRule, name: str, who: str) -> str:
    """What it does, in words."""
    if rule.share <= 0:
        return f"{name} answered along until {who} stopped it. Pairs are kept for {counted(rule.days, 'day')}."
    dropped = (
        f" Not copied, being too many at once or too long: {number(rule.num_dropped)}." if rule.num_dropped else ""
    )
    return (
        f"{name} answers {100 * rule.share:g} % of the requests along, {rule.max_at_once} at once at most, each within "
        f"{rule.within_s:g} s. Nobody is sent its answers, and nobody waits for them.{dropped}"
    )


def side_line(name: str, side: Side) -> SideLine:
    """One side as a line."""
    return SideLine(
        name=name,
        answers=number(side.num_answered),
        errors=number(side.num_errors),
        invalid_json=f"{side.num_invalid_json:,} of {side.num_with_schema:,}"
        if side.num_with_schema
        else "not asked for",
        time=UNMEASURED if side.median_ms is None else duration(side.median_ms / 1000),
        length=UNMEASURED if side.mean_characters is None else counted(round(side.mean_characters), "character"),
    )


def same_words(found: Measures) -> str:
    """How often both said the same."""
    if not found.shadow.num_answered:
        return ""
    return (
        f"Word for word the same: {found.num_same:,} of {found.shadow.num_answered:,} that both answered; "
        f"different: {found.num_different:,}."
    )


def pair_line(pair: ShadowPair, names: Mapping[str, str]) -> PairLine:
    """A pair as a line."""
    times = f"{duration(pair.sent_ms / 1000)} / "
    times += duration(pair.shadow_ms / 1000) if pair.shadow_ms is not None else "none"
    return PairLine(
        id=pair.id,
        question=_short(pair.question),
        sent=_short(pair.sent_answer),
        shadow=_short(pair.shadow_answer),
        error=f"{names.get(pair.shadow_model_id, pair.shadow_model_id)}: {pair.shadow_error}"
        if pair.shadow_error
        else "",
        is_same=pair.is_same,
        times=times,
        at=pair.at,
    )


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"
