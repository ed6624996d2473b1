"""How a project of Label Studio is labelled: which control holds the answer, which the rating, and what it is about.

Pure; read from what the project says of its own configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.connect.sources.errors import OptionsNotUsable

ANSWERS = ("TextArea", "Choices")
"""Kinds of controls that can hold an answer, in the order in which they are taken."""


@dataclass(frozen=True)
class Control:
    """A control that people fill in."""

    name: str
    kind: str
    """As the configuration calls it, such as TextArea."""
    to_name: str
    column: str
    """The task's column that it is about."""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Controls:
    """Those of a project."""

    by_name: Mapping[str, Control]
    answer: Control | None
    """The one that holds the answer; None where none can."""
    rating: Control | None


def controls_of(facts: Mapping[str, Any], *, answer_control: str = "") -> Controls:
    """Those of a project; `answer_control` where somebody has named it. Raises OptionsNotUsable."""
    said = facts.get("parsed_label_config") or {}
    found = {name: _control(name, each) for name, each in said.items() if isinstance(each, dict)}
    rating = next((each for each in found.values() if each.kind == "Rating"), None)
    if answer_control:
        named = found.get(answer_control)
        if named is None or named.kind not in ANSWERS:
            fitting = ", ".join(each.name for each in found.values() if each.kind in ANSWERS) or "none"
            raise OptionsNotUsable(
                f"The project has no control called {answer_control[:100]!r} that holds an answer.",
                hint=f"Controls that can: {fitting}.",
            )
        return Controls(found, named, rating)
    answers = sorted(
        (each for each in found.values() if each.kind in ANSWERS), key=lambda each: ANSWERS.index(each.kind)
    )
    return Controls(found, answers[0] if answers else None, rating)


def _control(name: str, said: Mapping[str, Any]) -> Control:
    names, inputs, labels = said.get("to_name") or [""], said.get("inputs") or [{}], said.get("labels") or []
    column = str((inputs[0] or {}).get("value") or "") if isinstance(inputs[0], dict) else ""
    return Control(name, str(said.get("type", "")), str(names[0]), column, tuple(map(str, labels)))
