import csv
import io
import json
from typing import Any

from goldsmith.data import queries as data_queries
from goldsmith.people.types import Person
from goldsmith.run import downloads
from goldsmith.run.answers import write_answers
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
