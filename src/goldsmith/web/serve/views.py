"""What the pages of aliases show, made from rows. Knows no request and asks no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from goldsmith.serve.counts import Counts
from goldsmith.serve.tables import Alias, DeploymentHistory, Rollout
from goldsmith.serve.types import DEFAULT_ALIAS, RolloutState, parts_of
from goldsmith.web import alias_words
from goldsmith.web import format as formats
from goldsmith.web.format import UNMEASURED
from goldsmith.web.forms import FormField
from goldsmith.web.pages import Page


@dataclass(frozen=True)
class AliasLine:
    """An alias as a line of the list."""

    name: str
    leads_to: str
    changed_at: datetime


@dataclass(frozen=True)
class HistoryLine:
    """A change of an alias."""

    at: datetime
    what: str
    who: str
    why: str


@dataclass(frozen=True)
class TrafficLine:
    """What was counted about a model."""

    name: str
    requests: str
    errors: str
    invalid_json: str
    seconds: str
    tokens: str


@dataclass(frozen=True)
class RolloutCard:
    """The roll-out that is under way, or the last one."""

    model: str
    badge: str
    steps: str
    """5 % → 25 % → 100 %, with the one that it is at."""
    how: str
    message: str
    is_running: bool
    next_label: str
    lines: tuple[TrafficLine, ...]


@dataclass(frozen=True)
class AliasesPage(Page):
    """Every alias, and a new one."""

    template: ClassVar[str] = "serve/aliases.html"
    current: ClassVar[str] = "models"
    aliases: tuple[AliasLine, ...]
    fields: tuple[FormField, ...]
    """Empty when no model is on an engine."""


@dataclass(frozen=True)
class AliasPage(Page):
    """One alias: who answers, and what changed."""

    template: ClassVar[str] = "serve/alias.html"
    current: ClassVar[str] = "models"
    name: str
    lead: str
    leads_to: str
    """Empty when it was removed."""
    is_default: bool
    can_undo: str
    """What it was before, in words; empty when there is nothing to go back to."""
    share_fields: tuple[FormField, ...]
    more_fields: tuple[FormField, ...]
    address: str
    rollout: RolloutCard | None
    rollout_fields: tuple[FormField, ...]
    """Empty when no other model could be rolled out, or one is."""
    traffic: tuple[TrafficLine, ...]
    history: tuple[HistoryLine, ...]


def traffic_line(name: str, counts: Counts) -> TrafficLine:
    """What was counted about a model, in words."""
    return TrafficLine(
        name=name,
        requests=formats.number(counts.num_requests),
        errors=_share_of(counts.num_errors, counts.num_requests),
        invalid_json=_share_of(counts.num_invalid_json, counts.num_with_schema),
        seconds=formats.duration(counts.mean_seconds),
        tokens=UNMEASURED if counts.mean_tokens is None else f"{counts.mean_tokens:,.0f} tokens",
    )


def _share_of(num: int, of: int) -> str:
    return f"{num:,} of {of:,} ({100 * num / of:.1f} %)" if of else "none asked for"


def rollout_card(row: Rollout, counted: tuple[Counts, Counts], names: Mapping[str, str]) -> RolloutCard:
    """A roll-out with its numbers."""
    is_running = row.state == RolloutState.RUNNING.value
    is_last = row.stage + 1 >= len(row.stages)
    held = f"by itself, after {formats.duration(row.hold_s)} at each" if row.hold_s is not None else "by a click"
    model = names.get(row.model_id, row.model_id)
    return RolloutCard(
        model=model,
        badge=row.state,
        steps=" → ".join(alias_words.percent(share) for share in row.stages),
        how=f"It is at {alias_words.percent(row.stages[row.stage])}, and goes on {held}.",
        message=row.message or "Nothing was looked at yet.",
        is_running=is_running,
        next_label="End it: all went well" if is_last else f"Go on to {alias_words.percent(row.stages[row.stage + 1])}",
        lines=(traffic_line("Before", counted[0]), traffic_line(model, counted[1])),
    )


def alias_line(row: Alias, names: Mapping[str, str]) -> AliasLine:
    """An alias as a line."""
    return AliasLine(row.name, alias_words.shares(parts_of(row.targets), names), row.changed_at)


def history_line(entry: DeploymentHistory, names: Mapping[str, str]) -> HistoryLine:
    """A change in words."""
    return HistoryLine(entry.deployed_at, alias_words.change(entry, names), entry.philosopher, entry.notes)


def lead(name: str, leads_to: str) -> str:
    """What callers get, in a sentence."""
    if not leads_to:
        return "This name was removed: callers who use it are refused."
    who = "Callers who name no model" if name == DEFAULT_ALIAS else "Callers who use this name"
    return f"{who} get {leads_to}."
