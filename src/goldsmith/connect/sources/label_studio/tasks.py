"""A task of Label Studio as a row: its data, what people filled in, and the answer that counts as a good one. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from goldsmith.connect.sources.label_studio.controls import Controls
from goldsmith.connect.sources.label_studio.options import GOOD_ANSWER, LabelStudioOptions, Stars
from goldsmith.connect.sources.types import FoundRow, NotTaken
from goldsmith.data.readers import values as texts
from goldsmith.data.readers.types import BadRow

BETWEEN = ", "
"""Stands between several values of one control."""


def row_of(task: Mapping[str, Any], controls: Controls, options: LabelStudioOptions) -> FoundRow | NotTaken:
    """The row, or why it is none. What the task was offered (predictions) is no part of it."""
    annotation = chosen(task.get("annotations") or ())
    place = _place(task, annotation)
    data = task.get("data")
    if not isinstance(data, dict):
        return NotTaken(place, "its data are no columns with values")
    found = {name: texts.text_of(value) for name, value in data.items()}
    if GOOD_ANSWER in found:
        found[f"{GOOD_ANSWER} (task)"] = found.pop(GOOD_ANSWER)
    for name in controls.by_name:
        found[f"{name} (annotation)" if name in data else name] = said(annotation, name)
    found[GOOD_ANSWER] = _good_answer(annotation, controls, options)
    checked = texts.checked(1, place, list(found), list(found.values()))
    if isinstance(checked, BadRow):
        return NotTaken(place, f"column “{checked.column}”: {checked.reason.partition(': ')[2]}")
    return FoundRow(str(task["id"]), checked.values, place)


def chosen(annotations: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The annotation that counts: one marked as ground truth before others, then the newest. Skipped ones never do."""
    counting = [each for each in annotations if not each.get("was_cancelled") and each.get("result")]
    return max(counting, key=lambda each: (bool(each.get("ground_truth")), each["id"]), default=None)


def said(annotation: Mapping[str, Any] | None, control: str) -> str:
    """What was filled in at a control, as text; nothing where nothing was."""
    results = (annotation or {}).get("result") or ()
    mine = [each for each in results if isinstance(each, dict) and each.get("from_name") == control]
    return BETWEEN.join(text for each in mine if (text := _text(each)))


def _text(result: Mapping[str, Any]) -> str:
    """A result's value: Label Studio keeps it under the name of its type."""
    value = result.get("value")
    if not isinstance(value, dict):
        return ""
    kept = value.get("text") if result.get("type") == "textarea" else value.get(str(result.get("type")))
    kept = value if kept is None else kept
    if isinstance(kept, list) and all(isinstance(each, str) for each in kept):
        return ("\n" if result.get("type") == "textarea" else BETWEEN).join(kept)
    return texts.text_of(kept)


def _good_answer(annotation: Mapping[str, Any] | None, controls: Controls, options: LabelStudioOptions) -> str:
    if annotation is None or controls.answer is None or not _is_good(annotation, controls, options):
        return ""
    return said(annotation, controls.answer.name)


def _is_good(annotation: Mapping[str, Any], controls: Controls, options: LabelStudioOptions) -> bool:
    match options.stars:
        case Stars.EVERY:
            return True
        case Stars.GROUND_TRUTH:
            return bool(annotation.get("ground_truth"))
        case Stars.RATED:
            rating = said(annotation, controls.rating.name) if controls.rating is not None else ""
            return rating.isdigit() and int(rating) >= options.min_rating
        case Stars.NONE:
            return False


def _place(task: Mapping[str, Any], annotation: Mapping[str, Any] | None) -> str:
    if annotation is None:
        return f"task {task.get('id')}"
    return f"task {task.get('id')}, annotation {annotation['id']}{_by(annotation)}"


def _by(annotation: Mapping[str, Any]) -> str:
    """By whom, as far as Label Studio says it: " Ada Byron ada@example.org, 1"."""
    who = str(annotation.get("created_username") or "").rpartition(",")[0].strip()
    return f" by {who}" if who else ""
