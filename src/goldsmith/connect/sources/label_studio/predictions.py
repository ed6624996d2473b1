"""An answer of a run as a pre-annotation of Label Studio, and which of those that are there have to go. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldsmith.connect.sources.label_studio.controls import Control


@dataclass(frozen=True)
class Step:
    """What makes a task's pre-annotations of one name as they should be."""

    add: Mapping[str, Any] | None
    remove: tuple[int, ...]

    @property
    def is_same(self) -> bool:
        """Whether they are already."""
        return self.add is None and not self.remove


def trouble(text: str, control: Control) -> str | None:
    """Why an answer cannot be filled in at a control, if it cannot."""
    if control.kind == "Choices" and text.strip() not in control.choices:
        return f"“{text.strip()[:60]}” is none of the choices of {control.name}"
    return None


def step(task: Mapping[str, Any], name: str, text: str | None, control: Control) -> Step:
    """What is to be done at a task so that exactly this answer stands there under `name`; None: none.

    Only pre-annotations of that name are looked at: what others offered there is not ours.
    """
    mine = [each for each in task.get("predictions") or () if each.get("model_version") == name]
    wanted = _result(text, control) if text is not None else None
    same = [each for each in mine if wanted is not None and _values(each.get("result")) == _values(wanted)]
    kept = same[:1]
    remove = tuple(int(each["id"]) for each in mine if each not in kept)
    if wanted is None or kept:
        return Step(None, remove)
    return Step({"task": task["id"], "result": wanted, "model_version": name}, remove)


def _result(text: str, control: Control) -> list[dict[str, Any]]:
    value = {"choices": [text.strip()]} if control.kind == "Choices" else {"text": [text]}
    kind = control.kind.lower()
    return [{"from_name": control.name, "to_name": control.to_name, "type": kind, "value": value}]


def _values(result: Any) -> list[Any]:
    """What counts when two are compared: Label Studio adds ids and other things of its own."""
    found = result if isinstance(result, list) else []
    return [(each.get("from_name"), each.get("value")) for each in found if isinstance(each, dict)]
