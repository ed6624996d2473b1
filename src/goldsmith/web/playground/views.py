"""What the page of the playground shows. Knows no request and asks no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from goldsmith.web.forms import FormField
from goldsmith.web.pages import Page
from goldsmith.web.playground.tried import Side


@dataclass(frozen=True)
class ShownSide:
    """One model's answer, and how it stands."""

    number: int
    name: str
    answer: Side
    key: str
    """The key that gives it a star."""


@dataclass(frozen=True)
class PlaygroundPage(Page):
    """A question, and two answers side by side."""

    template: ClassVar[str] = "playground/playground.html"
    current: ClassVar[str] = "playground"
    has_models: bool
    has_any_model: bool
    """Whether a model is registered, if on no engine."""
    fields: tuple[FormField, ...]
    folded: tuple[str, ...]
    sides: tuple[ShownSide, ...]
    tried: str
    """Everything that was asked and answered, as the page carries it."""
    names: Mapping[str, str]
    """Names by id, for the script of the page."""
    said: str
    """What has just been kept."""
