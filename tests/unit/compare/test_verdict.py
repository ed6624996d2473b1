"""What is said about which result, in words and in numbers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldsmith.compare.types import ArmResult, Verdict, VerdictKind
from goldsmith.compare.verdict import decide

RIGHT = st.sampled_from([True, False, None])


def arm(name: str, num_right: int, *, num_rows: int = 40, num_failed: int = 0, first_right: int = 0) -> ArmResult:
    """`num_right` rows right from row `first_right` on, the last `num_failed` failed."""
    labels = {"base": "the base model", "examples": "the base model with examples", "tuned": "the tuned model"}
    right: list[bool | None] = [first_right <= row < first_right + num_right for row in range(num_rows)]
    right[num_rows - num_failed :] = [None] * num_failed
    return ArmResult(name, labels[name], tuple(right), num_examples=8 if name == "examples" else 0)


def test_a_clear_gain_is_better_with_counts() -> None:
    verdict = decide(arm("base", 12), arm("tuned", 36))
    assert verdict.kind is VerdictKind.better
    assert verdict.sentence == (
        "Better. The tuned model got 36 of 40 exam rows right (77 to 96 %), the base model 12 of 40."
    )
    assert verdict.evidence_line == (
        "60.0 points more than the base model "
        "(95 % interval of the difference 41.1 to 72.7, mid-p below 0.0001, 40 exam rows)."
    )
    assert verdict.difference == pytest.approx(0.6)
    assert (verdict.num_rows, verdict.rows_needed, verdict.against) == (40, None, "base")


def test_a_clear_loss_is_worse() -> None:
    verdict = decide(arm("base", 30), arm("tuned", 12), examples=arm("examples", 12))
    assert verdict.kind is VerdictKind.worse
    assert verdict.sentence.startswith("Worse. The tuned model got 12 of 40 exam rows right")
    assert verdict.high is not None
    assert verdict.high < 0
    assert "45.0 points less than the base model" in verdict.evidence_line


def test_a_small_gain_is_not_known_yet_and_says_how_many_rows_would_decide() -> None:
    verdict = decide(arm("base", 33), arm("tuned", 36))
    assert verdict.kind is VerdictKind.not_known
    assert verdict.sentence.startswith("Not known yet: about 80 more exam rows would decide. The tuned model got 36")
    assert verdict.rows_needed == 80


def test_a_training_without_effect_is_said_where_examples_are_ahead() -> None:
    verdict = decide(arm("base", 0), arm("tuned", 1), examples=arm("examples", 16))
    assert verdict.kind is VerdictKind.no_need
    assert verdict.sentence.endswith(
        "The training did not make it better than the base model either: more rounds or more gold stars may."
    )


def test_examples_that_do_as_well_make_training_needless() -> None:
    verdict = decide(arm("base", 12), arm("tuned", 36), examples=arm("examples", 36))
    assert verdict.kind is VerdictKind.no_need
    assert verdict.sentence == (
        "Training was not needed: eight of your stars as examples in the prompt do as well. The tuned model got "
        "36 of 40 exam rows right (77 to 96 %), the base model 12 of 40, the base model with examples 36 of 40."
    )
    assert (verdict.against, verdict.difference, verdict.rows_needed) == ("examples", 0.0, None)
    assert "Exactly as many as the base model with examples (95 % interval" in verdict.evidence_line


def test_examples_that_do_better_make_training_needless_too() -> None:
    verdict = decide(arm("base", 5), arm("tuned", 20), examples=arm("examples", 38))
    assert verdict.kind is VerdictKind.no_need
    assert "eight of your stars as examples in the prompt do better" in verdict.sentence


def test_examples_that_fall_short_are_said_to() -> None:
    verdict = decide(arm("base", 12), arm("tuned", 36), examples=arm("examples", 21))
    assert verdict.kind is VerdictKind.better
    assert verdict.sentence.endswith("Examples alone did not close the gap, so the training was worth it.")
    assert verdict.rows_needed is None


def test_examples_that_come_close_leave_it_open() -> None:
    verdict = decide(arm("base", 12), arm("tuned", 36), examples=arm("examples", 34))
    assert verdict.kind is VerdictKind.better
    assert (
        "Whether examples alone would do is not known yet: about 150 more exam rows would decide." in verdict.sentence
    )
    assert verdict.rows_needed == 149
    assert verdict.against == "base"


def test_both_questions_can_be_open_and_the_first_one_counts() -> None:
    verdict = decide(arm("base", 33), arm("tuned", 36), examples=arm("examples", 34))
    assert verdict.kind is VerdictKind.not_known
    assert "Whether examples alone would do is not known yet" in verdict.sentence
    assert verdict.rows_needed == 80


def test_an_open_gain_over_the_base_with_examples_far_behind_says_nothing_of_examples() -> None:
    verdict = decide(arm("base", 33), arm("tuned", 36), examples=arm("examples", 5))
    assert verdict.kind is VerdictKind.not_known
    assert "xamples alone" not in verdict.sentence


def test_a_base_model_that_does_as_well_makes_training_needless() -> None:
    verdict = decide(arm("base", 300, num_rows=400), arm("tuned", 301, num_rows=400))
    assert verdict.kind is VerdictKind.no_need
    assert verdict.sentence.startswith("Training was not needed: the base model does as well without it.")


def test_failed_answers_count_as_wrong_and_are_said() -> None:
    base, tuned = arm("base", 12, num_failed=1), arm("tuned", 38, num_failed=2)
    verdict = decide(base, tuned)
    assert tuned.num_right == 38
    assert verdict.sentence.endswith(
        "2 answers of the tuned model failed and count as wrong. 1 answer of the base model failed and counts as wrong."
    )
    whole = decide(arm("base", 12), arm("tuned", 38))
    assert (verdict.difference, verdict.low) == (whole.difference, whole.low)


@pytest.mark.parametrize("silent", ["base", "tuned"])
def test_an_arm_without_a_single_answer_decides_nothing(silent: str) -> None:
    arms = {"base": arm("base", 12), "tuned": arm("tuned", 36)} | {silent: arm(silent, 0, num_failed=40)}
    verdict = decide(arms["base"], arms["tuned"])
    assert verdict.kind is VerdictKind.not_known
    assert f"every one of the 40 answers of {arms[silent].label} failed" in verdict.sentence
    assert verdict.difference is verdict.mid_p is verdict.rows_needed is None


def test_examples_without_a_single_answer_are_left_out_and_said() -> None:
    verdict = decide(arm("base", 12), arm("tuned", 36), examples=arm("examples", 0, num_failed=40))
    assert verdict.kind is VerdictKind.better
    assert verdict.sentence.endswith("Every answer of the base model with examples failed, so it says nothing here.")
    assert "with examples" not in verdict.evidence_line


@pytest.mark.parametrize(("num_rows", "words"), [(0, "0 exam rows"), (1, "1 exam row,"), (4, "4 exam rows")])
def test_fewer_than_five_rows_are_too_few(num_rows: int, words: str) -> None:
    verdict = decide(arm("base", 0, num_rows=num_rows), arm("tuned", num_rows, num_rows=num_rows))
    assert verdict.kind is VerdictKind.too_few
    assert words in verdict.sentence
    assert "Give more gold stars" in verdict.sentence
    assert verdict.rows_needed == 5 - num_rows


@pytest.mark.parametrize(("num_tuned", "num_rows"), [(36, 40), (16, 40), (3, 3)])
def test_rows_of_a_dataset_of_ones_own_are_not_called_an_exam(num_tuned: int, num_rows: int) -> None:
    base, tuned = arm("base", min(12, num_rows), num_rows=num_rows), arm("tuned", num_tuned, num_rows=num_rows)
    verdict = decide(base, tuned, row="row")
    assert "exam" not in verdict.sentence + verdict.evidence_line
    assert "rows" in verdict.sentence


def test_a_models_own_name_keeps_its_letters_and_unknown_numbers_of_examples_are_not_made_up() -> None:
    tuned = ArmResult("tuned", "support-triage-1", (True,) * 40)
    examples = ArmResult("examples", "the base model with examples", (True,) * 40)
    verdict = decide(arm("base", 12), tuned, examples=examples)
    assert "Training was not needed: your stars as examples" in verdict.sentence
    assert "support-triage-1 got 40 of 40" in verdict.sentence
    many = ArmResult("examples", "the base model with examples", (True,) * 40, num_examples=32)
    assert "32 of your stars" in decide(arm("base", 12), tuned, examples=many).sentence


def test_arms_with_different_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="the same rows"):
        decide(arm("base", 3, num_rows=39), arm("tuned", 3))


@settings(max_examples=50)
@given(st.lists(st.tuples(RIGHT, RIGHT, RIGHT), max_size=60))
def test_every_result_gets_a_calm_sentence_and_a_consistent_kind(rows: list[tuple[bool | None, ...]]) -> None:
    base, examples, tuned = (
        ArmResult(name, f"the {name} arm", tuple(row[index] for row in rows), num_examples=index)
        for index, name in enumerate(["base", "examples", "tuned"])
    )
    verdict = decide(base, tuned, examples=examples)
    assert "!" not in verdict.sentence + verdict.evidence_line
    assert verdict.sentence.endswith(".")
    assert verdict.num_rows == len(rows)
    assert (verdict.kind is VerdictKind.too_few) == (len(rows) < 5)
    _agrees_with_its_numbers(verdict)


def _agrees_with_its_numbers(verdict: Verdict) -> None:
    if verdict.low is None or verdict.high is None:
        return
    if verdict.kind is VerdictKind.better:
        assert verdict.low > 0
    elif verdict.kind is VerdictKind.not_known:
        assert verdict.low <= 0 <= verdict.high
        assert verdict.rows_needed
    elif verdict.kind is VerdictKind.worse:
        assert verdict.high < 0
