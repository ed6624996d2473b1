"""`goldsmith data`: bring rows in, with the good answers that came along, read as somebody said."""

from pathlib import Path

from tests.unit.cli.conftest import Line

from goldsmith.data.types import ImportRequest
from goldsmith.jobs import queries as jobs
from goldsmith.stars import importing


def test_good_answers_are_starred_at_once_unless_somebody_does_not_want_it(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("question,answer\nWhat?,That.\n")
    assert "run" not in line.json("data", "import", str(file), "--answers", "answer", "--no-stars", "--no-wait")
    assert [job["title"] for job in line.json("jobs", "list")] == ["Import rows.csv"]
    assert "run" in line.json("data", "import", str(file), "--answers", "answer", "--no-wait")
    assert line.json("jobs", "list", "--kind", importing.JOB_KIND)[0]["title"] == "Star the answers of rows.csv"


def test_how_a_file_is_read_can_be_said(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "rows.txt"
    file.write_text("a;b\n1;2\n", encoding="utf-16-le")
    how = ("--format", "csv", "--encoding", "utf-16-le", "--delimiter", ";")
    assert line.json("data", "preview", str(file), *how)["rows"] == [{"a": "1", "b": "2"}]
    said = line.json("data", "import", str(file), *how, "--column", "a", "--no-wait")
    with line.parts.database.reading() as session:
        params = jobs.one(session, said["job"]).params
    assert {name: params[name] for name in ("format", "encoding", "delimiter", "columns")} == {
        "format": "csv",
        "encoding": "utf-16-le",
        "delimiter": ";",
        "columns": ["a"],
    }
    assert set(params) == set(ImportRequest.__dataclass_fields__)


def test_an_unknown_format_is_refused(line: Line, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    code, _, err = line.run("data", "preview", str(tmp_path / "a.csv"), "--format", "docx")
    assert (code, "docx" in err) == (2, True)
