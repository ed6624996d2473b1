"""What the backend `trl` runs for each method, and which options belong to which."""

import pytest

from goldsmith.environments.types import EnvironmentName
from goldsmith.errors import Invalid
from goldsmith.models.types import Learns
from goldsmith.testing.contracts.job_folder import CPU
from goldsmith.train.backends.methods import Method
from goldsmith.train.backends.trl import Trl
from goldsmith.train.recipe import read_options


@pytest.mark.parametrize(
    ("method", "learns", "own"),
    [
        ("sft", Learns.answers, {"padding_free"}),
        ("dpo", Learns.pairs, {"beta", "good_answer_weight"}),
        ("kto", Learns.marks, {"beta", "bad_answers_weight"}),
    ],
)
def test_each_method_is_a_program_of_its_own(method: Method, learns: Learns, own: set[str]) -> None:
    options = read_options(Trl(), {"method": method})
    plan = Trl().plan(options, CPU)
    assert plan.program == f"goldsmith.trainers.trl_{method}"
    assert (plan.environment, plan.learns, plan.settings["method"]) == (EnvironmentName.TRL, learns, method)
    beside = {"padding_free", "beta", "good_answer_weight", "bad_answers_weight"}
    assert beside & set(options.in_effect()) == own
    for name in beside - own:
        with pytest.raises(Invalid, match="choose it too, or leave this as it was"):
            read_options(Trl(), {"method": method, name: True if name == "padding_free" else 3.0})


def test_single_marks_are_never_learned_one_at_a_time() -> None:
    with pytest.raises(Invalid, match="at least two rows at once"):
        read_options(Trl(), {"method": "kto", "batch_size": 1})
    assert read_options(Trl(), {"batch_size": 1}).model_dump()["batch_size"] == 1
