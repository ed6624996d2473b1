"""Each check finds what it is for, stays silent about what is in order, and says what it cannot see."""

import json
import time
from typing import Any

import pytest

from goldsmith.stars import checks
from goldsmith.stars.checks import personal_data
from goldsmith.stars.types import Example, Message

QUESTION = "My parcel with the blue teapot has not arrived since Tuesday"


def example(position: int, asked: str, expected: str, **more: Any) -> Example:
    turns = (Message(role="system", content="Sort it."), Message(role="user", content=asked))
    return Example(
        row_key=f"key_{position}", row_id=f"row_{position}", position=position, run_id="run_1",
        answer_id=f"ans_{position}", mark_id=position, starred_by="Ada", is_corrected=False, prompt_version_id="pv_1",
        asked=turns, expected=expected, **more,
    )  # fmt: skip


def found(*examples: Example) -> dict[str, list[int]]:
    return {line["check"]: [each["row"] for each in line["found"]] for line in checks.report(examples)}


def test_what_is_in_order_is_not_found() -> None:
    assert (
        found(example(1, QUESTION, "delivery"), example(2, "How much is the large garden gnome here?", "price")) == {}
    )


@pytest.mark.parametrize(
    ("check", "second"),
    [
        ("empty_answers", example(2, "Which?", " \n")),
        ("conflicting_answers", example(2, QUESTION.upper(), "billing")),
        ("duplicates", example(2, QUESTION.upper(), "Delivery ")),
        ("near_duplicates", example(2, f"{QUESTION}!!! Help", "delivery")),
        ("cut_off_answers", example(2, "Which?", "half of", finish_reason="length")),
        ("endless_answers", example(2, "Which?", "It is " + "so and so, " * 12)),
        ("endless_answers", example(2, "Which?", "".join(chr(97 + n * n % 26) for n in range(2_100)))),
        ("invalid_json", example(2, "Which?", "no", answer_schema={"type": "object"})),
        ("foreign_markers", example(2, "Which?[/INST]", "this")),
        ("foreign_markers", example(2, "Which?", "this<|eot_id|>")),
        ("personal_data", example(2, "Write to ada@example.org", "yes")),
    ],
)
def test_each_check_finds_what_it_is_for_and_no_other_does(check: str, second: Example) -> None:
    assert found(example(1, QUESTION, "delivery"), second) == {check: [2]}


def test_one_answer_for_nearly_all_is_one_sided_also_in_a_field_of_json() -> None:
    topics = ["delivery"] * 18 + ["billing", "price"]
    letters = [example(at, f"question {at}", topic) for at, topic in enumerate(topics, start=1)]
    assert found(*letters) == {"one_sided": [1]}
    assert found(*letters[:10]) == {}
    objects = [
        example(at, f"question {at}", json.dumps({"topic": topic, "id": at}))
        for at, topic in enumerate(topics, start=1)
    ]
    assert found(*objects) == {"one_sided": [1]}
    assert "field topic" in checks.report(objects)[0]["found"][0]["words"]


def test_words_of_the_prompt_make_no_questions_alike() -> None:
    prompt = "Sort this message of a customer by its topic and by nothing else at all: "
    animals = ("cat", "dog", "emu", "fox", "gnu", "hen")
    rows = [example(at, prompt + name * 2, name) for at, name in enumerate(animals, start=1)]
    assert found(*rows) == {}


def test_an_exam_row_that_is_nearly_learned_is_a_leak() -> None:
    learn, exam = (
        [example(1, QUESTION, "a")],
        [example(2, QUESTION + " please", "a"), example(3, "Other words here", "b")],
    )
    line = checks.report_leaks(learn, exam)[0]
    assert [(each["row"], line["num_found"]) for each in line["found"]] == [(2, 1)]
    assert checks.report_leaks(exam, []) == []


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("ada.lovelace+x@mail.example.org", ["an e-mail address"]),
        ("IBAN DE89370400440532013000 THANKS", ["an IBAN"]),
        ("GB82 WEST 1234 5698 7654 32", ["an IBAN"]),
        ("DE88 3704 0044 0532 0130 00", []),
        ("XX89370400440532013000", []),
        ("4111 1111 1111 1111", ["a card number"]),
        ("4111 1111 1111 1112", []),
        ("4444444444444444", []),
        ("call +49 (30) 1234-5678 now", ["a telephone number"]),
        ("06 12 34 56 78", ["a telephone number"]),
        ("on 01.02.2026 10:00", []),
        ("it costs 0.1234567890 or 2026-11-26", []),
        ("Ada Lovelace, 12 St James's Square", []),
        ("user @ home, a@b", []),
    ],
)
def test_personal_data_is_found_by_its_form_and_check_digits(text: str, kinds: list[str]) -> None:
    assert list(personal_data.kinds_in(text)) == kinds


def test_a_finding_never_repeats_the_personal_data() -> None:
    report = json.dumps(checks.report([example(1, "Write to ada@example.org", "4111 1111 1111 1111")]))
    assert "ada@" not in report
    assert "4111" not in report


def test_every_check_says_what_it_cannot_see() -> None:
    assert len(checks.LIMITS) == len(checks.CHECKS) + 1
    assert all(len(cannot_see) > 20 for _, cannot_see in checks.LIMITS)
    assert "Names" in dict(checks.LIMITS)[personal_data.TITLE]
    assert checks.report([example(1, "Which?", "")])[0]["cannot_see"]


def test_many_rows_take_no_long_time() -> None:
    rows = [
        example(
            at,
            f"Sort it: {at * 7919 % 10007} and {at * 31 % 977} of {at % 13} with {at} for {at * 3}",
            f"class {at % 7}",
        )
        for at in range(1, 1001)
    ]
    began = time.process_time()
    checks.report(rows)
    assert time.process_time() - began < 3
