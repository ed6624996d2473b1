"""`goldsmith openai`: what files would become, what was queued, and a key that stands in no command."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Line
from tests.unit.connect.openai.conftest import ASKED, EVAL, ROWS, RUN, chat

from goldsmith.cli.openai import _made
from goldsmith.jobs import queries as jobs


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    files: dict[str, Iterable[Mapping[str, Any]]] = {
        "cards.jsonl": [chat("q", "a")],
        "eval.json": [EVAL],
        "runs.jsonl": [RUN],
        "rows.jsonl": ROWS,
        "in.jsonl": ASKED,
        ".hidden": [],
    }
    for name, found in files.items():
        (folder / name).write_text("".join(json.dumps(each) + "\n" for each in found))
    return folder


def test_looking_says_what_would_be_made_and_makes_nothing(line: Line, export: Path) -> None:
    said = line.json("openai", "look", str(export))
    assert [part["name"] for part in said["parts"]] == ["cards", "Tickets", "Batch in"]
    assert [file["file"] for file in said["files"]] == [
        "cards.jsonl",
        "eval.json",
        "in.jsonl",
        "rows.jsonl",
        "runs.jsonl",
    ]
    code, out, _ = line.run("openai", "look", str(export))
    assert code == 0
    assert "rows.jsonl: rows of an eval" in out
    assert "  - The grader “code” is a program." in out
    with line.parts.database.reading() as session:
        assert jobs.page(session, domain="local") == []


@pytest.mark.parametrize("command", [("openai", "bring"), ("data", "import")])
def test_a_folder_is_brought_in(line: Line, export: Path, command: tuple[str, str]) -> None:
    line.json(*command, str(export), "--no-wait")
    assert [job["title"] for job in line.json("jobs", "list")] == ["Bring 3 things from OpenAI"]


def test_an_eval_is_no_table_and_a_training_file_is_one(line: Line, export: Path) -> None:
    line.json("data", "import", str(export / "eval.json"), "--no-wait")
    line.json("data", "import", str(export / "cards.jsonl"), "--no-wait")
    assert [job["title"] for job in line.json("jobs", "list")] == ["Import cards.jsonl", "Bring Tickets from OpenAI"]


def test_answers_of_batches_are_starred_where_somebody_says_so(line: Line, export: Path) -> None:
    said = line.json("openai", "bring", str(export / "in.jsonl"), "--star-answers", "--no-wait")
    with line.parts.database.reading() as session:
        assert [part["is_starred"] for part in jobs.one(session, said["job"]).params["parts"]] == [True]


def test_nothing_to_bring_is_said(line: Line, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n")
    code, _, err = line.run("openai", "bring", str(tmp_path / "x.csv"))
    assert (code, "x.csv is none of the files" in err) == (2, True)


def test_the_key_comes_from_the_environment(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    code, _, err = line.run("openai", "fetch", str(tmp_path / "export"))
    assert (code, "OPENAI_API_KEY" in err) == (2, True)
    assert not (tmp_path / "export").exists()


def test_what_was_made_is_told_part_by_part() -> None:
    good = {"name": "cards", "num_rows": 2, "num_bad_rows": 1, "dataset_id": "ds_1", "training_set_id": "set_1"}
    bad = {"name": "Tickets", "error": "No row of it."}
    text = _made({"parts": [good, bad], "notes": ["ft:x stays there."]})
    assert text.splitlines() == [
        "cards",
        "  2 rows, 1 bad; dataset ds_1, training set set_1",
        "Tickets",
        "  No row of it.",
        "- ft:x stays there.",
    ]
