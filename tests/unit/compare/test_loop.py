"""What one should do next, from counts alone."""

import pytest

from goldsmith.compare.loop import Counts, Next, decide

STARRED = {"num_rows": 60, "num_answers": 60, "num_stars": 60}
TRAINED = {**STARRED, "has_set": True, "training": "succeeded", "has_model": True, "num_exam": 15}


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        ({}, Next.bring_rows),
        ({"is_importing": True}, Next.wait_for_rows),
        ({"num_rows": 60}, Next.run),
        ({"num_rows": 60, "is_running": True}, Next.wait_for_answers),
        ({"num_rows": 60, "num_answers": 3, "is_running": True}, Next.give_stars),
        ({"num_rows": 60, "num_answers": 60, "num_stars": 4}, Next.give_stars),
        (STARRED, Next.export),
        ({**STARRED, "has_set": True}, Next.train),
        ({**STARRED, "has_set": True, "training": "running"}, Next.wait_for_training),
        ({**STARRED, "has_set": True, "training": "failed"}, Next.mend_training),
        ({**STARRED, "has_set": True, "training": "cancelled"}, Next.train),
        (TRAINED, Next.deploy),
        ({**TRAINED, "has_new_set": True}, Next.train),
        ({**TRAINED, "proof": "proving"}, Next.wait_for_proof),
        ({**TRAINED, "proof": "refused"}, Next.look_at_receipt),
        ({**TRAINED, "proof": "proved"}, Next.compare),
        ({**TRAINED, "proof": "proved", "num_exam": 0}, Next.make_default),
        ({**TRAINED, "proof": "proved", "comparison": "running"}, Next.wait_for_comparison),
        ({**TRAINED, "proof": "proved", "comparison": "failed"}, Next.mend_comparison),
        ({**TRAINED, "proof": "proved", "comparison": "succeeded", "verdict": "better"}, Next.make_default),
        ({**TRAINED, "proof": "proved", "verdict": "better", "is_default": True}, Next.another_round),
        ({**TRAINED, "proof": "proved", "comparison": "succeeded", "verdict": "worse"}, Next.another_round),
        ({**TRAINED, "comparison": "succeeded", "verdict": "no_need"}, Next.another_round),
    ],
)
def test_the_next_thing_follows_from_the_counts(counts: dict[str, object], wanted: Next) -> None:
    assert decide(Counts(**counts)) is wanted  # type: ignore[arg-type]  # the table above names real fields


def test_whoever_has_stars_already_needs_neither_rows_nor_a_run() -> None:
    assert decide(Counts(num_stars=20)).step.value == "stars"
