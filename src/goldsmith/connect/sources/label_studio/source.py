"""A project of Label Studio as a source: its tasks are rows, read again where one of them was changed.

Tasks are read a hundred ids at a time, as a group with a state made of when each of them was changed. So a reading
that was killed goes on at the next hundred, one task that was changed brings a hundred to be looked at, and tasks that
are gone are known. What we offer there is no annotation, so it never comes back as a row of its own.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from goldsmith.connect.sources.errors import OptionsNotUsable, SourceRefused, SourceSilent
from goldsmith.connect.sources.label_studio import predictions, tasks
from goldsmith.connect.sources.label_studio.client import LabelStudio
from goldsmith.connect.sources.label_studio.controls import Control, Controls, controls_of
from goldsmith.connect.sources.label_studio.options import GOOD_ANSWER, LabelStudioOptions, Stars
from goldsmith.connect.sources.types import Batch, FoundRow, Looked, NotTaken, Offered, RowAnswer, Since

GROUP: Final = 100
ACTIONS: Final = (
    *("TASKS_CREATED", "TASKS_DELETED", "ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED"),
    "ANNOTATIONS_DELETED",
)
"""What makes a row another one."""
_NOT_TOLD: Final = (
    "An address in a private network is taken by a Label Studio that was started with SSRF_PROTECTION_ENABLED=false. "
    "Or leave Goldsmith's address empty, and have it read at fixed times."
)


@dataclass(frozen=True)
class LabelStudioSource:
    """One project."""

    studio: LabelStudio
    options: LabelStudioOptions

    def look(self) -> Looked:
        """Its title, how many tasks it has, and what was understood of its controls."""
        facts = self.studio.facts()
        controls = controls_of(facts, answer_control=self.options.answer_control)
        num = int(facts.get("task_number") or 0)
        sentence = (
            f"{self.studio.name}, “{str(facts.get('title'))[:100]}”, answers and has {num:,} task{'s'[: num != 1]}."
        )
        columns = dict.fromkeys(each.column for each in controls.by_name.values() if each.column)
        return Looked(sentence, (*columns, *controls.by_name, GOOD_ANSWER), (self._what_is_good(controls),))

    def fetch(self, since: Since) -> Iterator[Batch]:
        """The hundreds of tasks in which something changed; of hundreds that are gone, that they are."""
        controls = controls_of(self.studio.facts(), answer_control=self.options.answer_control)
        found = _states(self.studio.stands())
        if since.groups and not found:
            raise SourceSilent(
                f"{self.studio.name} has no task any more.",
                hint="Look at the project's number. If the tasks are gone for good, remove the connection.",
            )
        for number, (first, state) in enumerate(sorted(found.items()), start=1):
            if since.groups.get(_name(first)) != state:
                yield replace(self._group(first, state, controls), share=number / len(found))
        for name in sorted(set(since.groups) - set(map(_name, found))):
            yield Batch(group=name, is_begun=True, is_ended=True)

    def arrange(self, address: str | None, token: str) -> None:
        """Have the project tell this address alone what changes; earlier addresses of ours are taken out."""
        path = "/v1/hooks/sources/"
        wanted = {
            "url": address,
            "actions": list(ACTIONS),
            "send_payload": False,
            "send_for_all_actions": False,
            "is_active": True,
            "headers": {"authorization": f"Bearer {token}"},
        }
        ours = [each for each in self.studio.webhooks() if _is_ours(each, path, token)]
        right = [each for each in ours if address and _is_so(each, wanted)][:1]
        for each in ours:
            if each not in right:
                self.studio.remove_webhook(int(each["id"]))
        if address and not right:
            self._add_webhook(wanted)

    def offer(self, name: str, answers: Sequence[RowAnswer]) -> Offered:
        """Make the answers pre-annotations of their tasks."""
        control = self._answer_control()
        by_id = {int(each.source_id): each for each in answers if each.source_id.isdigit()}
        there = {int(task["id"]): task for task in self.studio.tasks(sorted(by_id))} if by_id else {}
        not_taken = [NotTaken(f"task {each}", "it is not there any more") for each in by_id if each not in there]
        new, same = [], 0
        for task_id, task in there.items():
            text = by_id[task_id].text
            trouble = predictions.trouble(text, control) if text is not None else None
            if trouble:
                not_taken.append(NotTaken(f"task {task_id}", trouble))
            step = predictions.step(task, name, None if trouble else text, control)
            for prediction_id in step.remove:
                self.studio.remove_prediction(prediction_id)
            new += [step.add] if step.add is not None else []
            same += step.is_same and text is not None and not trouble
        num_new = self.studio.add_predictions(new)
        if num_new < len(new):
            not_taken.append(
                NotTaken(f"{len(new) - num_new:,} of {len(new):,} tasks", "Label Studio did not take them")
            )
        return Offered(num_new, same, not_taken)

    def _add_webhook(self, wanted: Mapping[str, Any]) -> None:
        try:
            self.studio.add_webhook(wanted)
        except (SourceRefused, OptionsNotUsable) as error:
            raise OptionsNotUsable(
                f"It will not tell {wanted['url']} what changes. {error.message}", hint=_NOT_TOLD
            ) from None

    def _group(self, first: int, state: str, controls: Controls) -> Batch:
        found = [
            tasks.row_of(task, controls, self.options) for task in self.studio.tasks_between(first, first + GROUP - 1)
        ]
        rows = [each for each in found if isinstance(each, FoundRow)]
        left_out = [each for each in found if isinstance(each, NotTaken)]
        return Batch(rows, {}, left_out, _name(first), is_begun=True, is_ended=True, group_state=state)

    def _answer_control(self) -> Control:
        controls = controls_of(self.studio.facts(), answer_control=self.options.answer_control)
        if controls.answer is None:
            raise OptionsNotUsable(
                f"{self.studio.name} has no control that an answer could be offered in.",
                hint="Add a TextArea or Choices to its labelling configuration.",
            )
        return controls.answer

    def _what_is_good(self, controls: Controls) -> str:
        if controls.answer is None or self.options.stars is Stars.NONE:
            return "No annotation becomes a gold star."
        if self.options.stars is Stars.RATED and controls.rating is None:
            return "No annotation becomes a gold star: the project has no control of the kind Rating."
        about = f", about the column {controls.answer.column}" if controls.answer.column else ""
        return f"Good answers come from the control {controls.answer.name}{about}, and stand in {GOOD_ANSWER}."


def _states(stands: Iterator[dict[str, Any]]) -> dict[int, str]:
    """By the first id of each hundred: what tells whether one of its tasks has changed."""
    digests: dict[int, Any] = {}
    for task in stands:
        first = int(task["id"]) // GROUP * GROUP
        said = [task.get(name) for name in ("id", "updated_at", "total_annotations", "cancelled_annotations")]
        digests.setdefault(first, hashlib.sha256()).update(repr(said).encode())
    return {first: digest.hexdigest() for first, digest in digests.items()}


def _name(first: int) -> str:
    return f"tasks {first:010}"


def _is_ours(webhook: Mapping[str, Any], path: str, token: str) -> bool:
    return path in str(webhook.get("url")) and token in str(webhook.get("headers"))


def _is_so(webhook: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    names = ("url", "send_payload", "send_for_all_actions", "is_active", "headers")
    has_actions = set(webhook.get("actions") or ()) == set(wanted["actions"])
    return has_actions and all(webhook.get(name) == wanted[name] for name in names)
