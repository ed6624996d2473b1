import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from goldsmith.data import queries as data_queries
from goldsmith.people.types import Person
from goldsmith.run import downloads, spreadsheet
from goldsmith.run.answers import write_answers
from goldsmith.run.errors import RunNotFound, TooManyForExcel
from goldsmith.run.tables import PromptVersion, Run
from goldsmith.run.types import AnswerState, SentAnswer
from goldsmith.storage import clock
from goldsmith.storage.database import Database


def make_run(database: Database, ana: Person, prompt: PromptVersion, make_version: Any) -> str:
    version = make_version([{"message": "=1+1", "answer": "ä"}, {"message": "-5", "answer": "x\ny"}])
    with database.transaction() as session:
        owned: dict[str, Any] = {"domain": ana.domain, "created_by": ana.id}
        run = Run(
            id="run_1",
            name="r",
            kind="model",
            dataset_version_id=version.id,
            prompt_version_id=prompt.id,
            options={},
            num_rows=2,
            **owned,
        )
        session.add(run)
        session.flush()
        rows = data_queries.rows(session, version.id)
        good = SentAnswer(rows[0].id, 1, AnswerState.ANSWERED, clock.now(), text="@SUM(1)", finish_reason="stop")
        bad = SentAnswer(rows[1].id, 2, AnswerState.FAILED, clock.now(), error="broke")
        write_answers(session, run.id, [good, bad], schema=None)
    return "run_1"


def test_a_csv_holds_every_answer_and_no_formula(
    database: Database, ana: Person, prompt: PromptVersion, make_version: Any
) -> None:
    run_id = make_run(database, ana, prompt, make_version)
    text = b"".join(downloads.csv_pieces(database, run_id)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["message"] for row in rows] == ["'=1+1", "'-5"]
    assert [row["answer"] for row in rows] == ["ä", "x\ny"]
    assert [row["answer (run)"] for row in rows] == ["'@SUM(1)", ""]
    assert [row["state"] for row in rows] == ["answered", "failed"]
    assert rows[1]["error"] == "broke"


def test_a_jsonl_is_exact(database: Database, ana: Person, prompt: PromptVersion, make_version: Any) -> None:
    run_id = make_run(database, ana, prompt, make_version)
    lines = b"".join(downloads.jsonl_pieces(database, run_id)).decode().splitlines()
    first = json.loads(lines[0])
    assert len(lines) == 2
    assert (first["columns"]["message"], first["answer"], first["row"]) == ("=1+1", "@SUM(1)", 1)


def test_an_excel_file_holds_what_the_csv_holds(
    database: Database, ana: Person, prompt: PromptVersion, make_version: Any
) -> None:
    run_id = make_run(database, ana, prompt, make_version)
    content = b"".join(downloads.xlsx_pieces(database, run_id))
    head, *rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    cells = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(cell["row"], cell["message"]) for cell in cells] == [(1.0, "'=1+1"), (2.0, "'-5")]
    assert [cell["answer (run)"] for cell in cells] == ["'@SUM(1)", ""]
    assert [cell["error"] for cell in cells] == ["", "broke"]


def test_a_run_that_no_sheet_holds_is_refused_before_anything_is_made(
    database: Database, ana: Person, prompt: PromptVersion, make_version: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = make_run(database, ana, prompt, make_version)
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 1)
    with pytest.raises(TooManyForExcel, match="2 answers"):
        downloads.xlsx_pieces(database, run_id)


@pytest.mark.parametrize("file_format", downloads.DownloadFormat)
def test_a_saved_file_is_whole_or_not_there(
    database: Database,
    ana: Person,
    prompt: PromptVersion,
    make_version: Any,
    tmp_path: Path,
    file_format: downloads.DownloadFormat,
) -> None:
    folder = tmp_path / "out"
    path = folder / "answers"
    with pytest.raises(RunNotFound):
        downloads.save(database, "run_none", file_format, path)
    assert list(folder.iterdir()) == []
    run_id = make_run(database, ana, prompt, make_version)
    assert downloads.save(database, run_id, file_format, path) == path.stat().st_size > 0
    assert list(folder.iterdir()) == [path]
