"""`goldsmith training-sets`: look at one and take its files away exactly as they were exported."""

from pathlib import Path

import pytest
from tests.factories import make_answer, make_dataset_version, make_prompt_version, make_run
from tests.unit.cli.conftest import Line

from goldsmith.data import queries as data
from goldsmith.stars import service
from goldsmith.stars.types import MarkKind, MarkRequest


@pytest.fixture
def made(line: Line) -> dict[str, str]:
    with line.filling() as (session, ada):
        version = make_dataset_version(session, [{"question": f"q{n}"} for n in range(10)], by=ada)
        run = make_run(session, version, make_prompt_version(session, by=ada), by=ada)
        for row in data.rows(session, version.id):
            answer = make_answer(session, run, row, text=f"a{row.position}")
            service.mark(session, answer.id, MarkRequest(MarkKind.star), by=ada)
    said: dict[str, str] = line.json("training-sets", "export", "--name", "first")
    return said


def test_a_training_set_shows_its_counts_and_its_first_rows(line: Line, made: dict[str, str]) -> None:
    said = line.json("training-sets", "show", "first", "--rows", "2")
    assert (said["learn"], said["exam"], said["left_out"]) == (8, 2, 0)
    assert len(said["rows"]) == 2
    assert said["rows"][0]["messages"][-1]["role"] == "assistant"
    assert len(line.json("training-sets", "show", "first", "--side", "exam")["rows"]) == 2


@pytest.mark.parametrize("name", ["learn.jsonl", "exam.jsonl", "manifest.json"])
def test_a_file_is_copied_byte_by_byte(line: Line, made: dict[str, str], name: str) -> None:
    said = line.json("training-sets", "download", made["training_set"], "--file", name)
    assert Path(said["file"]).read_bytes() == (Path(made["folder"]) / name).read_bytes()
    assert line.error("training-sets", "download", "first", "--file", name)[0] == 5


def test_a_file_that_is_gone_is_said(line: Line, made: dict[str, str], tmp_path: Path) -> None:
    (Path(made["folder"]) / "exam.jsonl").unlink()
    code, problem = line.error(
        "training-sets", "download", "first", "--file", "exam.jsonl", "--to", str(tmp_path / "x")
    )
    assert (code, "Export the stars again" in problem["hint"]) == (4, True)


def test_what_a_check_has_found_is_left_out_of_another_set(line: Line) -> None:
    with line.filling() as (session, ada):
        rows = [{"question": f"q{n}" if n else "write to ada@example.org"} for n in range(10)]
        version = make_dataset_version(session, rows, by=ada)
        run = make_run(session, version, make_prompt_version(session, by=ada), by=ada)
        for row in data.rows(session, version.id):
            answer = make_answer(session, run, row, text=f"a{row.position}")
            service.mark(session, answer.id, MarkRequest(MarkKind.star), by=ada)
    line.json("training-sets", "export", "--name", "first")
    said = line.json("training-sets", "without", "first", "--check", "personal_data")
    assert (said["name"], said["learn"] + said["exam"]) == ("first, cleaned", 9)
    assert [one["name"] for one in line.json("training-sets", "list")] == ["first, cleaned", "first"]
