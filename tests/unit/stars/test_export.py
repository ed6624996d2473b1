import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from goldsmith.people.types import Person
from goldsmith.run.tables import Answer, Run
from goldsmith.run.types import PromptDraft
from goldsmith.stars import queries, service
from goldsmith.stars.errors import ExampleDoesNotFit, ExportNotPossible, NoStars
from goldsmith.stars.export import export
from goldsmith.stars.tables import ExamSide, TrainingSet
from goldsmith.stars.types import ExportRequest, MarkKind, MarkRequest, SetFormat
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

MakeRun = Callable[..., tuple[Run, list[Answer]]]
STAR = MarkRequest(MarkKind.star)


@pytest.fixture
def star(database: Database, ana: Person) -> Callable[..., None]:
    def star(answers: list[Answer], kind: MarkKind = MarkKind.star, text: str | None = None) -> None:
        with database.transaction() as session:
            for answer in answers:
                service.mark(session, answer.id, MarkRequest(kind, text), by=ana)

    return star


@pytest.fixture
def make_set(database: Database, home: Home, ana: Person) -> Callable[..., TrainingSet]:
    def make(**request: Any) -> TrainingSet:
        with database.transaction() as session:
            return export(session, home, ExportRequest(**request), by=ana)

    return make


def messages(num: int, start: int = 1) -> list[tuple[dict[str, str], str]]:
    return [({"message": f"message {n}", "topic": "ab"[n % 2]}, "ab"[n % 2]) for n in range(start, start + num)]


def lines(home: Home, training_set: TrainingSet, side: str) -> list[Any]:
    text = (home.root / training_set.folder / f"{side}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_stars_become_learn_and_exam_rows_as_they_were_asked(
    database: Database, home: Home, make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    _, answers = make_run(messages(20), draft=PromptDraft("Topic of: {{message}}", "Be brief."))
    star(answers[:18])
    star(answers[18:19], MarkKind.correction, "better")
    star(answers[19:], MarkKind.bad)
    made = make_set()
    assert (made.num_learn, made.num_exam, made.num_dropped) == (15, 4, 0)
    learn, exam = lines(home, made, "learn"), lines(home, made, "exam")
    assert (len(learn), len(exam)) == (15, 4)
    chats = [line["messages"] for line in learn + exam]
    assert all([turn["role"] for turn in chat] == ["system", "user", "assistant"] for chat in chats)
    assert {chat[1]["content"] for chat in chats} == {f"Topic of: message {n}" for n in range(1, 20)}
    assert next(c[2]["content"] for c in chats if c[1]["content"] == "Topic of: message 19") == "better"
    with database.reading() as session:
        rows = queries.training_set_rows(session, made.id, "learn")
        assert [row.messages for row in rows] == [line["messages"] for line in learn]
        assert rows[0].expected == rows[0].messages[-1]["content"]
        assert made.prompt_version_id is not None


def test_the_manifest_tells_the_files_hashes(
    home: Home, make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    star(make_run(messages(10))[1])
    made = make_set()
    folder = home.root / made.folder
    content = (folder / "manifest.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == made.content_hash
    for file in json.loads(content)["files"]:
        assert hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest() == file["sha256"]


def test_the_same_stars_are_the_same_set(
    database: Database, home: Home, make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    _, answers = make_run(messages(10))
    star(answers)
    first = make_set()
    assert make_set(name="another name").id == first.id
    (home.root / first.folder / "manifest.json").unlink()
    make_set()
    assert (home.root / first.folder / "manifest.json").exists()
    star(answers[:1], MarkKind.unstar)
    assert make_set().id != first.id
    assert len([path for path in home.training_sets.iterdir() if path.is_dir()]) == 2


def test_a_side_is_decided_once(
    database: Database, make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    star(make_run(messages(10))[1])
    make_set()
    with database.reading() as session:
        before = {side.row_key: side.side for side in session.query(ExamSide)}
    star(make_run(messages(40, start=100))[1])
    made = make_set()
    with database.reading() as session:
        after = {side.row_key: side.side for side in session.query(ExamSide)}
    assert before.items() <= after.items()
    assert (made.num_learn, made.num_exam) == (40, 10)


def test_of_equal_rows_the_newest_star_wins_and_it_is_said(
    home: Home, make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    _, answers = make_run([({"message": "Hello"}, "old"), ({"message": " HELLO "}, "new")])
    star(answers[1:])
    star(answers[:1])
    made = make_set()
    assert [line["messages"][-1]["content"] for line in lines(home, made, "learn")] == ["old"]
    assert made.num_dropped == 1
    assert any("1 older stars" in note for note in made.manifest["notes"])


def test_equal_questions_are_one_row_whatever_the_answer_column_says(
    make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    given = [({"message": "m", "topic": "a"}, "a"), ({"message": "m", "topic": "b"}, "b")]
    star(make_run(given, answer_column="topic")[1])
    assert make_set().num_dropped == 1


def test_what_the_exam_asks_is_never_learned(
    home: Home, make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    star(make_run([({"id": str(n), "message": "the same"}, "x") for n in range(10)])[1])
    made = make_set()
    assert made.num_exam == 2
    assert made.num_learn == 0
    assert made.manifest["dropped"] == {"asked_in_exam": 8}


def test_one_star_is_allowed_and_that_there_is_no_exam_is_said(
    make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    star(make_run(messages(3))[1][:1])
    made = make_set()
    assert (made.num_learn, made.num_exam) == (1, 0)
    assert "no exam" in made.manifest["notes"][0]


def test_without_stars_the_nearest_reason_is_said(
    make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    with pytest.raises(NoStars, match="no runs yet"):
        make_set()
    run, answers = make_run(messages(3))
    with pytest.raises(NoStars, match="None of the 3 answers"):
        make_set()
    other, _ = make_run(messages(2))
    star(answers[:1])
    with pytest.raises(NoStars, match="first run has 1"):
        make_set(run_id=other.id)
    assert make_set(run_id=run.id).num_learn == 1


def test_an_example_that_does_not_fit_the_format_is_named(
    make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    chat = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3"}]
    star(make_run([({"messages": json.dumps(chat)}, "x")], draft=PromptDraft("{{messages}}"))[1])
    with pytest.raises(ExampleDoesNotFit, match="Row 1 of first run"):
        make_set(format=SetFormat.alpaca)
    assert make_set(format=SetFormat.openai).num_learn == 1


@pytest.mark.parametrize("request_", [{"exam_share": 1.0}, {"exam_share": -0.1}, {"min_rating": 6}])
def test_an_option_that_cannot_work_is_refused(make_set: Callable[..., TrainingSet], request_: dict[str, Any]) -> None:
    with pytest.raises(ExportNotPossible):
        make_set(**request_)


def test_the_lint_report_names_what_to_look_at(
    database: Database, make_run: MakeRun, star: Callable[..., None], make_set: Callable[..., TrainingSet]
) -> None:
    draft = PromptDraft("{{message}}", answer_schema={"type": "object"})
    given = [
        ({"id": "1", "message": "m"}, "{}"),
        ({"id": "2", "message": "m"}, "no"),
        ({"id": "3", "message": "n"}, " "),
    ]
    _, answers = make_run(given, draft=draft)
    with database.transaction() as session:
        session.get_one(Answer, answers[0].id).finish_reason = "length"
    star(answers)
    made = make_set()
    found = {line["check"]: line for line in made.manifest["lint"]}
    assert set(found) == {"empty_answers", "conflicting_answers", "cut_off_answers", "invalid_json"}
    assert found["invalid_json"]["num_found"] == 2
    assert found["conflicting_answers"]["found"][0]["row"] == 1
    assert made.num_learn == 2
