"""What a look says is what a training then does: for every limit the same rows, tokens and reasons."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from tests.factories import HASH, make_base_model

from goldsmith.models.errors import TemplateNotUsable
from goldsmith.models.rendered_file import NO_BAD_ANSWER, Lesson, render_set
from goldsmith.models.rendering import Renderer
from goldsmith.models.tables import BaseModel
from goldsmith.models.types import Learns
from goldsmith.people.types import Person
from goldsmith.stars.tables import TrainingSet, TrainingSetRow
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home
from goldsmith.testing import write_small_model
from goldsmith.train.look import Look, RowSize, look, seen_rows, why_one_sided

REJECTED = {1: "I do not know", 4: "no idea " * 200, 5: "<|im_end|>", 6: "I will not be read"}
"""Bad answers, by the number of their row; the last one's row is of the exam."""
ROWS = ["where is my parcel", "x" * 300, "<|im_end|> ends it", "hi", "a long one " * 90, "thanks"]


@pytest.fixture
def pair(database: Database, home: Home, person: Person) -> tuple[TrainingSet, BaseModel]:
    with database.transaction() as session:
        base = make_base_model(session, by=person)
        write_small_model(home.root / base.folder)
        training_set = TrainingSet(
            id="set_1", name="stars", format="chatml", folder="training-sets/set_1", num_learn=5, num_exam=1,
            num_dropped=0, manifest={}, content_hash=HASH, domain=person.domain, created_by=person.id,
        )  # fmt: skip
        session.add(training_set)
        session.flush()
        for number, text in enumerate(ROWS, start=1):
            messages = [{"role": "user", "content": text}, {"role": "assistant", "content": f"answer {number}"}]
            side, position = ("exam", 1) if number == len(ROWS) else ("learn", number)
            row = TrainingSetRow(
                training_set_id="set_1", side=side, position=position, row_id=f"row_{number}", answer_id="", mark_id=0,
                stratum="", messages=messages, expected=f"answer {number}", rejected=REJECTED.get(number),
            )  # fmt: skip
            session.add(row)
    return training_set, base


def looked(
    database: Database,
    home: Home,
    pair: tuple[TrainingSet, BaseModel],
    max_length: int | None,
    *,
    learns: Learns = Learns.answers,
) -> Look:
    with database.reading() as session:
        return look(session, home, *pair, max_length=max_length, learns=learns)


@given(limit=st.integers(16, 1500), learns=st.sampled_from(Learns))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_says_what_a_training_with_this_limit_learns(
    database: Database, home: Home, pair: tuple[TrainingSet, BaseModel], tmp_path: Path, limit: int, learns: Learns
) -> None:
    found = looked(database, home, pair, limit, learns=learns)
    renderer = Renderer.open(home.root / pair[1].folder)
    lessons = [
        Lesson(f"row_{n}", [{"role": "user", "content": text}, {"role": "assistant", "content": f"answer {n}"}], other)
        for n, (text, other) in enumerate(zip(ROWS[:-1], map(REJECTED.get, range(1, 6)), strict=True), start=1)
    ]
    path = tmp_path / "learn.jsonl"
    really = render_set(lessons, renderer, max_tokens=limit, path=path, learns=learns)
    assert (len(found.learned), found.num_learned_tokens) == (really.num_rows, really.num_learned_tokens)
    reasons = [(size.row_id, size.left_out_because(limit)) for size in found.left_out]
    assert reasons == [(problem.row_id, problem.reason) for problem in really.problems]
    assert sum(size.is_bad for size in found.learned) == really.num_bad
    if learns is not Learns.pairs:  # of a pair the longer of both answers counts
        assert sum(size.num_tokens for size in found.learned) == really.num_tokens
    assert max((size.num_tokens for size in found.learned), default=0) == really.longest_tokens


def test_a_limit_that_loses_no_row_for_its_length_is_named(
    database: Database, home: Home, pair: tuple[TrainingSet, BaseModel]
) -> None:
    short = looked(database, home, pair, 64)
    assert short.limit_for_all is not None
    assert f"({short.limit_for_all:,} would lose none)" in short.sentence
    whole = looked(database, home, pair, short.limit_for_all)
    assert [size.row_id for size in whole.left_out] == ["row_3"]
    assert "1 of 5 rows is left out: 1 cannot be learned by this model." in whole.sentence


def test_a_limit_is_never_above_what_the_model_can_read(
    database: Database, home: Home, pair: tuple[TrainingSet, BaseModel]
) -> None:
    assert looked(database, home, pair, 100_000).max_tokens == 4096
    assert looked(database, home, pair, None).max_tokens == 4096


def test_for_pairs_a_row_without_a_bad_answer_is_left_out_but_not_of_the_exam(
    database: Database, home: Home, pair: tuple[TrainingSet, BaseModel]
) -> None:
    found = looked(database, home, pair, 1500, learns=Learns.pairs)
    reasons = {size.row_id: size.left_out_because(1500) for size in found.left_out}
    assert reasons["row_2"] == NO_BAD_ANSWER
    assert "control token" in reasons["row_3"]
    assert reasons["row_5"].startswith("The bad answer cannot be used")
    assert "tokens, the limit is" in reasons["row_4"]
    assert [size.row_id for size in found.learned] == ["row_1"]
    assert not found.left_out_exam
    with database.reading() as session:
        (row,) = seen_rows(session, home, *pair, found.learned, limit=1500)
    assert (row.learned, row.rejected) == ("answer 1", "I do not know")


def test_of_single_marks_each_answer_is_a_row_and_a_bad_one_needs_no_good_one(
    database: Database, home: Home, pair: tuple[TrainingSet, BaseModel]
) -> None:
    with database.transaction() as session:
        for side, position in (("bad", 1), ("bad", 2)):
            messages = [{"role": "user", "content": "when?"}, {"role": "assistant", "content": f"never {position}"}]
            row = TrainingSetRow(
                training_set_id="set_1", side=side, position=position, row_id=f"row_bad{position}", answer_id="",
                mark_id=0, stratum="", messages=messages, expected=f"never {position}",
            )  # fmt: skip
            session.add(row)
    found = looked(database, home, pair, 1500, learns=Learns.marks)
    assert [size.row_id for size in found.learned if size.is_bad] == ["row_1", "row_bad1", "row_bad2"]
    assert found.sentence.endswith("; it learns from 4 good and 3 bad ones.")
    with database.reading() as session:
        seen = seen_rows(session, home, *pair, [size for size in found.learned if size.is_bad], limit=1500)
    assert [row.learned for row in seen[:2]] == ["I do not know", "never 1"]
    for learns in (Learns.answers, Learns.pairs):
        others = looked(database, home, pair, 1500, learns=learns)
        assert all(size.side in ("learn", "exam") for size in others.sizes), "nobody else learns from them"


def test_single_marks_of_one_kind_are_said_to_be_no_use(
    database: Database, home: Home, pair: tuple[TrainingSet, BaseModel]
) -> None:
    with database.transaction() as session:
        session.execute(update(TrainingSetRow).values(rejected=None))
    found = looked(database, home, pair, 1500, learns=Learns.marks)
    assert found.sentence == "There are 4 good answers to learn from, and not one bad one to tell them apart from."
    assert looked(database, home, pair, 1500).one_sided == ""
    assert "nothing says what to answer instead" in why_one_sided(0, 3)


def test_a_second_look_renders_nothing(
    database: Database, home: Home, pair: tuple[TrainingSet, BaseModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = looked(database, home, pair, 256)
    monkeypatch.setattr(Renderer, "render_example", lambda *_: pytest.fail("it rendered again"))
    assert looked(database, home, pair, 256) == first
    assert looked(database, home, pair, 64).max_tokens == 64


def test_rows_are_shown_in_the_parts_that_the_model_tells_apart(
    database: Database, home: Home, pair: tuple[TrainingSet, BaseModel]
) -> None:
    found = looked(database, home, pair, 64)
    with database.reading() as session:
        one, other, *_ = seen_rows(session, home, *pair, [found.learned[0], found.left_out[1]], limit=64)
    assert one.read.endswith("<|im_start|>assistant\n")
    assert (one.learned, one.end, one.why_left_out) == ("answer 1", "<|im_end|>", "")
    assert "control token" in other.why_left_out
    assert (other.read, other.learned) == (ROWS[2], "answer 3")


def test_a_model_that_nothing_can_be_taught_is_said(
    database: Database, home: Home, pair: tuple[TrainingSet, BaseModel]
) -> None:
    (home.root / pair[1].folder / "chat_template.jinja").unlink()
    with pytest.raises(TemplateNotUsable):
        looked(database, home, pair, 64)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([], "There is no row to learn."),
        ([RowSize("learn", 1, "r", 40, 9)], "The one row is learned whole"),
        ([RowSize("learn", 1, "r", 400, 9)], "Not one of 1 rows can be learned. The first: The row has 400 tokens"),
        ([RowSize("learn", 1, "r", 9, 9), RowSize("learn", 2, "s", 5000, 9)], "(longer than the model can read)"),
    ],
)
def test_the_sentence_is_about_rows_to_learn(sizes: list[RowSize], words: str) -> None:
    assert words in Look(tuple(sizes), 128, 4096, stops_by_itself=True).sentence
