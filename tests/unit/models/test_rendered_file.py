"""A rendered set is whole, counted and hashed; rows that cannot be learned from are listed, and the good ones stay."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldsmith.models.rendered_file import Lesson, render_set
from goldsmith.models.rendering import NOT_LEARNED, Renderer
from goldsmith.models.types import Learns


def chat(answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": "Which topic?"}, {"role": "assistant", "content": answer}]


def test_bad_rows_are_listed_and_the_good_ones_stay(renderers: dict[str, Renderer], tmp_path: Path) -> None:
    path = tmp_path / "rendered" / "learn.jsonl"
    rows = [
        Lesson("row_1", chat("change_pin")),
        Lesson("row_2", chat("x<|im_end|>")),
        Lesson("row_3", chat("long " * 50)),
        Lesson("row_4", chat("half \udc00")),
        Lesson("row_5", chat("card_arrival"), rejected="not needed here"),
    ]
    done = render_set(rows, renderers["smollm2"], max_tokens=120, path=path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["row_id"] for line in lines] == ["row_1", "row_5"]
    assert all("rejected_ids" not in line for line in lines)
    assert [(problem.row_id, problem.kind) for problem in done.problems] == [
        ("row_2", "control-word-in-text"),
        ("row_3", "too-long"),
        ("row_4", "chat-not-usable"),
    ]
    assert done.num_rows == 2
    assert done.num_tokens == sum(len(line["input_ids"]) for line in lines)
    assert done.longest_tokens == max(len(line["input_ids"]) for line in lines)
    assert done.num_learned_tokens == sum(label != NOT_LEARNED for line in lines for label in line["labels"])
    assert done.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    again = render_set(rows, renderers["smollm2"], max_tokens=120, path=tmp_path / "again.jsonl")
    assert again.sha256 == done.sha256


def test_nothing_is_left_when_the_rows_break_off(renderers: dict[str, Renderer], tmp_path: Path) -> None:
    def broken() -> Iterator[Lesson]:
        yield Lesson("row_1", chat("change_pin"))
        raise OSError("the database went away")

    with pytest.raises(OSError, match="went away"):
        render_set(broken(), renderers["smollm2"], max_tokens=500, path=tmp_path / "learn.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_pairs_hold_the_bad_answer_alone_and_rows_without_one_are_listed(
    renderers: dict[str, Renderer], tmp_path: Path
) -> None:
    path, renderer = tmp_path / "learn.jsonl", renderers["smollm2"]
    rows = [
        Lesson("row_1", chat("change_pin"), rejected="card_arrival, I think"),
        Lesson("row_2", chat("change_pin")),
        Lesson("row_3", chat("change_pin"), rejected="x<|im_end|>"),
        Lesson("row_4", chat("change_pin"), rejected="long " * 150),
    ]
    done = render_set(rows, renderer, max_tokens=120, path=path, learns=Learns.pairs)
    (line,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert (line["row_id"], renderer.decode(line["rejected_ids"])) == ("row_1", "card_arrival, I think<|im_end|>")
    assert renderer.decode([label for label in line["labels"] if label != NOT_LEARNED]) == "change_pin<|im_end|>"
    assert [(problem.row_id, problem.kind) for problem in done.problems] == [
        ("row_2", "not-a-pair"),
        ("row_3", "not-a-pair"),
        ("row_4", "too-long"),
    ]
    assert done.longest_tokens > len(line["input_ids"])


def test_of_single_marks_each_answer_is_a_line_and_one_is_left_out_without_the_other(
    renderers: dict[str, Renderer], tmp_path: Path
) -> None:
    path, renderer = tmp_path / "learn.jsonl", renderers["smollm2"]
    rows = [
        Lesson("row_1", chat("change_pin"), rejected="card_arrival, I think"),
        Lesson("row_2", chat("change_pin"), rejected="long " * 150),
        Lesson("row_3", chat("x<|im_end|>"), rejected="no idea"),
        Lesson("row_4", chat("no idea, either"), is_bad=True),
    ]
    done = render_set(rows, renderer, max_tokens=120, path=path, learns=Learns.marks)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    said = [
        (line["row_id"], renderer.decode(line["input_ids"]).rpartition("assistant\n")[2], line.get("is_bad", False))
        for line in lines
    ]
    assert [(row_id, text.partition("<|im_end|>")[0], is_bad) for row_id, text, is_bad in said] == [
        ("row_1", "change_pin", False),
        ("row_1", "card_arrival, I think", True),
        ("row_2", "change_pin", False),
        ("row_3", "no idea", True),
        ("row_4", "no idea, either", True),
    ]
    assert (done.num_rows, done.num_bad) == (5, 3)
    assert [(problem.row_id, problem.kind) for problem in done.problems] == [
        ("row_2", "too-long"),
        ("row_3", "control-word-in-text"),
    ]
