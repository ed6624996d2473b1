"""What the pages of aliases show, made from rows. Knows no request and asks no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from goldsmith.serve.tables import Alias, DeploymentHistory
from goldsmith.serve.types import DEFAULT_ALIAS, parts_of
from goldsmith.web import alias_words
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
    history: tuple[HistoryLine, ...]


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
