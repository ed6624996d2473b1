"""Label Studio as a source: what is understood of tasks, what is asked how often, and what goes there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.label_studio_stand_in import PERSONAL, PROJECT, RECORDED, TOKEN, Studio, serving

from goldsmith.connect.sources.errors import OptionsNotUsable, SourceRefused, SourceSilent
from goldsmith.connect.sources.label_studio import LabelStudioKind, predictions, tasks
from goldsmith.connect.sources.label_studio.controls import Control, controls_of
from goldsmith.connect.sources.label_studio.options import LabelStudioOptions
from goldsmith.connect.sources.label_studio.source import LabelStudioSource
from goldsmith.connect.sources.types import FoundRow, NotTaken, RowAnswer, Since, Surroundings

HERE = Surroundings((), Path("/nowhere"), ("127.0.0.1",))
FACTS: dict[str, Any] = RECORDED["project"]
TASK: dict[str, Any] = RECORDED["tasks"]["tasks"][0]
AT = "http://127.0.0.1:8001/v1/hooks/sources/con_1"


@pytest.fixture
def studio() -> Iterator[Studio]:
    with serving() as made:
        yield made


def options(**more: Any) -> LabelStudioOptions:
    given = {"address": "http://127.0.0.1:8080", "project": PROJECT, "token": TOKEN, **more}
    return LabelStudioOptions.model_validate(given)


def opened(studio: Studio, surroundings: Surroundings = HERE, **more: Any) -> LabelStudioSource:
    source = LabelStudioKind().open(options(**{"address": studio.url, **more}), surroundings)
    source.studio.wait = lambda _: None
    return source


def row(task: dict[str, Any], **more: Any) -> FoundRow:
    made = tasks.row_of(task, controls_of(FACTS), options(**more))
    assert isinstance(made, FoundRow), made
    return made


def annotation(reply: str, number: int = 1, **more: Any) -> dict[str, Any]:
    result = [{"from_name": "reply", "to_name": "q", "type": "textarea", "value": {"text": [reply]}}]
    return {**TASK["annotations"][0], "id": number, "result": result, **more}


def read(source: LabelStudioSource, known: dict[str, str] | None = None) -> tuple[set[str], dict[str, str]]:
    """The ids that came, and the states by group."""
    batches = list(source.fetch(Since({}, known or {})))
    states = {batch.group: batch.group_state for batch in batches if batch.group and batch.group_state}
    return {found.source_id for batch in batches for found in batch.rows}, states


def test_a_real_task_becomes_a_row_with_what_was_annotated_and_by_whom() -> None:
    made = row(TASK)
    assert made.values == {"question": "one?", "reply": "one", "quality": "5", "kind": "", "good_answer": "one"}
    assert (made.source_id, made.place) == (
        str(TASK["id"]),
        f"task {TASK['id']}, annotation {TASK['annotations'][0]['id']} by ada@example.org",
    )
    bare = row({**TASK, "annotations": [], "data": {"question": {"deep": [1]}, "good_answer": "theirs", "kind": "x"}})
    assert bare.values["question"] == '{"deep":[1]}'
    assert (bare.values["good_answer (task)"], bare.values["good_answer"]) == ("theirs", "")
    assert (bare.values["kind"], bare.values["kind (annotation)"]) == ("x", "")


def test_what_is_no_row_says_why() -> None:
    for data, reason in (("text", "no columns"), ({"question": "a\0b"}, "NUL")):
        made = tasks.row_of({**TASK, "data": data}, controls_of(FACTS), options())
        assert isinstance(made, NotTaken)
        assert reason in made.reason


def test_of_several_annotations_ground_truth_counts_then_the_newest_and_skipped_ones_never() -> None:
    some = [annotation("old", 1), annotation("new", 2), annotation("skipped", 3, was_cancelled=True)]
    assert row({**TASK, "annotations": some}).values["good_answer"] == "new"
    some[0]["ground_truth"] = True
    assert row({**TASK, "annotations": some}).values["good_answer"] == "old"


@pytest.mark.parametrize(
    ("stars", "rating", "truth", "is_good"),
    [
        ("every_annotation", None, False, True),
        ("none", 5, True, False),
        ("ground_truth", 5, False, False),
        ("ground_truth", None, True, True),
        ("by_rating", 4, False, True),
        ("by_rating", 3, True, False),
        ("by_rating", None, True, False),
    ],
)
def test_only_what_an_annotation_says_is_a_gold_star(
    stars: str, rating: int | None, truth: bool, is_good: bool
) -> None:
    one = annotation("yes", ground_truth=truth)
    if rating is not None:
        one["result"].append({"from_name": "quality", "type": "rating", "value": {"rating": rating}})
    made = row({**TASK, "annotations": [one]}, stars=stars)
    assert (made.values["good_answer"], made.values["reply"]) == ("yes" if is_good else "", "yes")


def test_the_control_that_holds_the_answer_can_be_named() -> None:
    assert controls_of(FACTS).answer == Control("reply", "TextArea", "q", "question")
    named = controls_of(FACTS, answer_control="kind")
    assert named.answer == Control("kind", "Choices", "q", "question", ("A", "B"))
    with pytest.raises(OptionsNotUsable) as told:
        controls_of(FACTS, answer_control="quality")
    assert "reply, kind" in told.value.hint
    assert controls_of({"parsed_label_config": {}}).answer is None


def test_only_hundreds_in_which_something_changed_are_read_again(studio: Studio) -> None:
    for number in (1, 50, 120, 350):
        studio.put(number, question=f"{number}?")
    source = opened(studio)
    came, states = read(source)
    assert (came, len(states)) == ({"1", "50", "120", "350"}, 3)
    assert read(source, states)[0] == set()
    studio.annotate(120, "yes")
    assert read(source, states)[0] == {"120"}
    del studio.tasks[350]
    (gone,) = [batch for batch in source.fetch(Since({}, states)) if batch.is_ended and not batch.group_state]
    assert gone.group == "tasks 0000000300"
    studio.tasks.clear()
    with pytest.raises(SourceSilent, match="has no task any more"):
        read(source, states)


def test_tasks_come_page_after_page_and_a_page_that_is_gone_is_the_end(studio: Studio) -> None:
    for number in range(1, 1002):
        studio.put(number)
    source = opened(studio)
    listed = source.studio.stands()
    next(listed)
    for number in range(990, 1002):
        del studio.tasks[number]
    assert len(list(listed)) == 999
    assert studio.asked.count("GET /api/tasks/") == 2


@pytest.mark.parametrize("stars", ["every_annotation", "by_rating", "none"])
def test_a_test_says_what_was_understood(studio: Studio, stars: str) -> None:
    studio.put(1, question="one?")
    looked = opened(studio, stars=stars).look()
    assert "“Support”, answers and has 1 task." in looked.sentence
    assert looked.columns == ("question", "reply", "quality", "kind", "good_answer")
    assert ("about the column question" in looked.notes[0]) == (stars != "none")


@pytest.mark.parametrize(
    ("more", "troubles", "error", "said"),
    [
        ({"token": "x"}, [], SourceRefused, "does not let this token in"),
        ({"project": 8}, [], OptionsNotUsable, "is not there"),
        ({}, [503, 429, 500], SourceSilent, "it says 500"),
        ({}, [302], OptionsNotUsable, "sends us elsewhere"),
        ({}, [400], OptionsNotUsable, "refuses this"),
        ({"address": "http://127.0.0.1:9"}, [], SourceSilent, "ConnectionRefusedError"),
        ({"address": "http://10.0.0.1"}, [], OptionsNotUsable, "cannot be used"),
    ],
)
def test_what_is_wrong_is_told(
    studio: Studio, more: dict[str, Any], troubles: list[int], error: type[Exception], said: str
) -> None:
    studio.troubles = troubles
    with pytest.raises(error, match=said):
        opened(studio, **more).look()


def test_what_passes_is_waited_for(studio: Studio) -> None:
    studio.troubles = [503]
    assert "answers" in opened(studio).look().sentence


def test_with_a_personal_token_a_short_lived_one_is_fetched_and_again_when_it_has_run_out(studio: Studio) -> None:
    source = opened(studio, token=PERSONAL)
    source.look()
    studio.is_access_good = False
    source.look()
    assert studio.asked.count("POST /api/token/refresh/") == 2


def test_it_tells_one_address_and_none_twice_and_leaves_others_alone(studio: Studio) -> None:
    theirs = {**RECORDED["webhook"], "id": 99, "url": "https://elsewhere.example/v1/hooks/sources/con_1", "headers": {}}
    studio.webhooks[99] = theirs
    source = opened(studio)
    for _ in range(2):
        source.arrange(AT, "gsh_a")
    (ours,) = [each for key, each in studio.webhooks.items() if key != 99]
    assert (ours["url"], ours["headers"], ours["send_payload"]) == (AT, {"authorization": "Bearer gsh_a"}, False)
    assert "ANNOTATION_CREATED" in ours["actions"]
    source.arrange(AT.replace("8001", "8002"), "gsh_a")
    assert [each["url"] for key, each in studio.webhooks.items() if key != 99] == [AT.replace("8001", "8002")]
    source.arrange(None, "gsh_a")
    assert list(studio.webhooks.values()) == [theirs]


def test_an_answer_stands_there_once_under_its_name_and_nothing_else_is_touched(studio: Studio) -> None:
    for number in (1, 2, 3):
        studio.put(number, question=f"{number}?")
    source = opened(studio)
    answers = [RowAnswer("1", "one"), RowAnswer("2", "two"), RowAnswer("9", "nobody's"), RowAnswer("x", "no id")]
    first = source.offer("a", answers)
    assert (first.num_new, first.num_same, [each.place for each in first.not_taken]) == (2, 0, ["task 9"])
    again = source.offer("a", answers)
    assert (again.num_new, again.num_same) == (0, 2)
    source.offer("b", [RowAnswer("1", "eins")])
    source.offer("a", [RowAnswer("1", "ONE"), RowAnswer("2", None)])
    assert studio.predictions(1) == [("b", "eins"), ("a", "ONE")]
    assert studio.predictions(2) == []


def test_what_was_added_although_no_answer_came_is_not_added_again(studio: Studio) -> None:
    studio.put(1, question="?")
    source = opened(studio)
    studio.loses_answers_of = "POST"
    with pytest.raises(SourceSilent):
        source.offer("a", [RowAnswer("1", "one")])
    studio.loses_answers_of = ""
    assert source.offer("a", [RowAnswer("1", "one")]).num_same == 1
    assert studio.predictions(1) == [("a", "one")]


def test_only_a_choice_that_there_is_goes_into_choices(studio: Studio) -> None:
    studio.put(1, question="?")
    studio.put(2, question="?")
    offered = opened(studio, answer_control="kind").offer("a", [RowAnswer("1", " A\n"), RowAnswer("2", "C")])
    assert (offered.num_new, [each.reason for each in offered.not_taken]) == (1, ["“C” is none of the choices of kind"])
    assert studio.tasks[1]["predictions"][0]["result"][0]["value"] == {"choices": ["A"]}


def test_of_one_that_stands_there_twice_one_stays() -> None:
    control = Control("reply", "TextArea", "q", "question")
    made = predictions.step({"id": 1, "predictions": []}, "a", "x", control).add
    assert made is not None
    twice = {"id": 1, "predictions": [{**made, "id": 5}, {**made, "id": 6}]}
    assert predictions.step(twice, "a", "x", control).remove == (6,)
