"""Files of OpenAI's find each other, and what has no counterpart is said before anything is made."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.connect.openai.conftest import ASKED, EVAL, JOB, ROWS, RUN, Write, answered, chat, completion

from goldsmith.connect.openai import planning
from goldsmith.connect.openai.types import PartKind, Plan
from goldsmith.data.types import Upload

PlanOf = Callable[..., Plan]


@pytest.fixture
def plan_of() -> PlanOf:
    def make(*paths: Path) -> Plan:
        uploads = {Upload(path.name, path.name, path.stat().st_size): path for path in paths}
        return planning.plan(list(uploads), uploads.__getitem__)

    return make


def used(plan: Plan) -> list[tuple[str, ...]]:
    """The file names of each part."""
    return [tuple(upload.filename for uploads in part.files.values() for upload in uploads) for part in plan.parts]


def test_a_training_file_takes_the_validation_file_that_its_name_gives_away(write: Write, plan_of: PlanOf) -> None:
    plan = plan_of(write("cards_valid.jsonl", [chat("v", "a")]), write("cards.jsonl", [chat("q", "a")]))
    assert used(plan) == [("cards.jsonl", "cards_valid.jsonl")]
    assert "cards_valid.jsonl is its exam" in plan.parts[0].becomes


def test_a_fine_tuning_job_says_which_files_belong_together(write: Write, plan_of: PlanOf) -> None:
    names = ("file-a__one.jsonl", "file-b__two.jsonl", "file-c__valid.jsonl")
    plan = plan_of(*(write(name, [chat(name, "a")]) for name in names), write("jobs.jsonl", [JOB]))
    assert ("file-a__one.jsonl", "file-b__two.jsonl") in used(plan)
    assert next(part for part in plan.parts if len(part.files) == 2).name == "one"
    assert any("weights cannot be had" in note for note in plan.notes)
    assert any("n_epochs 3" in note for note in plan.notes)


def test_with_several_training_files_nobody_guesses(write: Write, plan_of: PlanOf) -> None:
    paths = [write(name, [chat(name, "a")]) for name in ("a.jsonl", "b.jsonl", "valid.jsonl")]
    assert sorted(used(plan_of(*paths))) == [("a.jsonl",), ("b.jsonl",), ("valid.jsonl",)]


def test_what_a_training_file_holds_besides_one_answer_is_counted(write: Write, plan_of: PlanOf) -> None:
    several = {"messages": [*chat("q", "a")["messages"], *chat("r", "b")["messages"]]}
    unweighted = chat("q", "a")
    unweighted["messages"][-1]["weight"] = 0
    picture = {
        "messages": [{"role": "user", "content": [{"type": "image_url"}]}, {"role": "assistant", "content": "a"}]
    }
    is_open = {"messages": [{"role": "user", "content": "q"}]}
    tools = chat("q", "a", tools=[{"type": "function"}])
    lines = [chat("q", "a"), several, unweighted, unweighted, tools, picture, is_open]
    notes = plan_of(write("train.jsonl", lines)).parts[0].notes
    said = {note.partition(" conversations ")[2].split(";")[0] for note in notes}
    assert len(notes) == 5
    assert any(
        note.startswith("train.jsonl: 2 conversations say weight 0") and "(the first is 3)" in note for note in notes
    )
    assert {"hold several answers", "offer or call tools", "hold something besides text"} <= said


def test_an_eval_takes_its_run_and_its_rows(write: Write, plan_of: PlanOf) -> None:
    plan = plan_of(write("eval.json", [EVAL]), write("runs.jsonl", [RUN]), write("rows.jsonl", ROWS))
    assert [(part.kind, part.name) for part in plan.parts] == [(PartKind.EXAM, "Tickets")]
    assert "right answers of “label”" in plan.parts[0].becomes
    assert plan.unused == ()


def test_an_eval_without_its_run_says_what_is_missing(write: Write, plan_of: PlanOf) -> None:
    part = plan_of(write("eval.json", [EVAL]), write("rows.jsonl", ROWS)).parts[0]
    assert "no exam" in part.becomes
    assert any("Bring its runs" in note for note in part.notes)
    plan = plan_of(write("runs.jsonl", [RUN]), write("rows.jsonl", ROWS))
    assert plan.parts == ()
    assert "not the eval itself" in plan.notes[0]


def test_a_batch_needs_what_was_asked(write: Write, plan_of: PlanOf) -> None:
    asked, out = write("in.jsonl", ASKED), write("out.jsonl", [answered("r1", "a")])
    both = plan_of(asked, out).parts[0]
    assert (both.kind, both.is_starred, "each with its answer" in both.becomes) == (PartKind.ANSWERS, False, True)
    assert "requests alone" in plan_of(asked).parts[0].notes[0]
    alone = plan_of(out)
    assert alone.parts == ()
    assert "what was asked" in alone.notes[0]
    assert plan_of(asked, out).starring_all().parts[0].is_starred


def test_what_is_not_openais_is_named(write: Write, plan_of: PlanOf) -> None:
    plan = plan_of(write("rows.jsonl", [{"question": "q"}]), write("c.jsonl", [completion("c1", "a")]))
    assert [seen.upload.filename for seen in plan.unused] == ["rows.jsonl"]
    assert "rows.jsonl is none" in plan.notes[0]


def test_reinforcement_has_no_counterpart(write: Write, plan_of: PlanOf) -> None:
    plan = plan_of(write("jobs.jsonl", [{**JOB, "method": {"type": "reinforcement"}}]))
    assert any("by reinforcement" in note for note in plan.notes)
