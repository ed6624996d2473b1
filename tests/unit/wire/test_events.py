import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldsmith.wire import events
from goldsmith.wire.events import EventKind, Tail, Writer

GOOD = b'{"seq": 7, "at": 1.5, "kind": "log", "data": {"text": "hello"}}\n'


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writer = Writer(path)
    writer.append(EventKind.STARTED, pid=1)
    writer.append(EventKind.FAILED, kind="disk_full", summary="Grüße", hint="Make room.")
    first, second = events.read(path)
    assert (first.seq, first.kind, dict(first.data)) == (1, EventKind.STARTED, {"pid": 1})
    assert (second.seq, second.data["kind"], second.data["summary"]) == (2, "disk_full", "Grüße")


def test_an_absent_file_has_no_events(tmp_path: Path) -> None:
    assert events.read(tmp_path / "absent.jsonl") == []


def test_a_new_writer_counts_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Writer(path).append(EventKind.LOG, text="one")
    assert Writer(path).append(EventKind.LOG, text="two").seq == 2


def test_a_line_cut_by_a_kill_is_no_event_and_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Writer(path).append(EventKind.LOG, text="one")
    with path.open("ab") as file:
        file.write(b'{"seq": 2, "at": 1.0, "kind": "succee')
    assert [event.seq for event in events.read(path)] == [1]
    Writer(path).append(EventKind.LOG, text="two")
    tail = Tail(path)
    assert [event.data["text"] for event in tail.new_events()] == ["one", "two"]
    assert tail.num_skipped == 1


def test_nan_and_infinity_become_null(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Writer(path).append(EventKind.STEP, loss=math.nan, more={"norms": [math.inf, 1.0], "pair": (-math.inf, 2)})
    (event,) = events.read(path)
    assert dict(event.data) == {"loss": None, "more": {"norms": [None, 1.0], "pair": [None, 2]}}


def test_nan_of_a_foreign_writer_is_read_as_null(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"seq": 1, "at": 1.0, "kind": "step", "data": {"loss": NaN}}\n')
    assert events.read(path)[0].data["loss"] is None


def test_long_texts_are_cut_so_that_the_event_arrives(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Writer(path).append(EventKind.LOG, text="x" * 3_000_000)
    assert len(events.read(path)[0].data["text"]) == events.MAX_TEXT_CHARS + 1


def test_an_event_that_is_still_too_long_is_refused_by_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with pytest.raises(ValueError, match="longer than"):
        Writer(path).append(EventKind.LOG, numbers=[1.25] * 300_000)
    assert not path.exists()


def test_a_lone_surrogate_does_not_stop_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Writer(path).append(EventKind.LOG, text="a\udce4b")
    assert events.read(path)[0].data["text"] == "a?b"


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"not json\n",
        b"[1, 2]\n",
        b'"text"\n',
        b'{"seq": 1, "at": 1.0, "kind": "log"}\n',
        b'{"seq": 1, "at": 1.0, "kind": "completed", "data": {}}\n',
        b'{"seq": 1e999, "at": 1.0, "kind": "log", "data": {}}\n',
        b'{"seq": 1, "at": NaN, "kind": "log", "data": {}}\n',
        b'{"seq": 1, "at": 1.0, "kind": "log", "data": 5}\n',
        b"\xff\xfe\n",
        b"[" * 200_000 + b"\n",
    ],
)
def test_a_line_that_is_no_event_is_passed_over_and_counted(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line + GOOD)
    tail = Tail(path)
    assert [event.seq for event in tail.new_events()] == [7]
    assert tail.num_skipped == 1


def test_a_line_that_is_too_long_is_passed_over_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * events.MAX_LINE_BYTES + GOOD + GOOD)
    tail = Tail(path)
    assert len(list(tail.new_events())) == 1
    assert tail.num_skipped == 1
    assert tail.offset == path.stat().st_size


def test_a_reader_that_is_restarted_within_a_long_line_does_not_take_its_end_for_an_event(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * events.MAX_LINE_BYTES)
    tail = Tail(path)
    assert list(tail.new_events()) == []
    with path.open("ab") as file:
        file.write(GOOD + GOOD)
    assert len(list(Tail(path, tail.offset).new_events())) == 1


def test_a_tail_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writer, tail = Writer(path), Tail(path)
    writer.append(EventKind.LOG, text="one")
    assert len(list(tail.new_events())) == 1
    assert list(tail.new_events()) == []
    writer.append(EventKind.LOG, text="two")
    assert [event.data["text"] for event in Tail(path, tail.offset).new_events()] == ["two"]


def test_only_the_three_ends_are_last() -> None:
    assert {kind for kind in EventKind if kind.is_last} == {EventKind.STOPPED, EventKind.SUCCEEDED, EventKind.FAILED}


@settings(deadline=None, max_examples=50)
@given(cut_at=st.integers(0, 200), data=st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9)))
def test_wherever_the_file_is_cut_whole_lines_and_only_they_are_read(
    tmp_path_factory: pytest.TempPathFactory, cut_at: int, data: Mapping[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("cut") / "events.jsonl"
    writer = Writer(path)
    for number in range(3):
        writer.append(EventKind.LOG, **{**data, "number": number})
    whole = path.read_bytes()
    kept = whole[: max(0, len(whole) - cut_at)]
    path.write_bytes(kept)
    assert [event.seq for event in events.read(path)] == list(range(1, kept.count(b"\n") + 1))
