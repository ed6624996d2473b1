"""The text of an answer on its way from the worker to whoever listens."""

from pathlib import Path

import pytest

from goldsmith.connect.executions.hearing import Heard, tell


def test_what_is_told_is_heard_once_and_also_after_the_file_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "heard.jsonl"
    with Heard(path) as heard:
        assert (heard.more(), heard.has_heard) == ([], False)
        tell(path, "Grüße\n", True)
        assert heard.more() == [{"delta": "Grüße\n", "is_first": True}]
        tell(path, "to", False)
        tell(path, " all", False)
        path.unlink()
        assert [each["delta"] for each in heard.more()] == ["to", " all"]
        assert (heard.more(), heard.has_heard) == ([], True)


def test_a_line_that_is_not_whole_yet_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "heard.jsonl"
    path.write_bytes(b'{"delta": "a", "is_first": true}\n{"delta')
    with Heard(path) as heard:
        assert len(heard.more()) == 1
        with path.open("ab") as file:
            file.write(b'": "b", "is_first": false}\n')
        assert heard.more() == [{"delta": "b", "is_first": False}]


def test_a_worker_that_was_killed_in_a_line_and_begins_anew_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "heard.jsonl"
    with Heard(path) as heard:
        tell(path, "first", True)
        with path.open("ab") as file:
            file.write(b'{"delta": "cut o')
        assert [each["delta"] for each in heard.more()] == ["first"]
        tell(path, "anew", True)
        assert heard.more() == [{"delta": "anew", "is_first": True}]
        path.unlink()  # that worker failed, and the next one begins
        other = tmp_path / "other"
        tell(other, "once more", True)
        other.rename(path)
        assert heard.more() == [{"delta": "once more", "is_first": True}]


def test_half_a_letter_is_told_and_breaks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "heard.jsonl"
    tell(path, "\ud83d", True)
    with Heard(path) as heard:
        assert heard.more() == [{"delta": "\ud83d", "is_first": True}]


def test_what_cannot_be_written_is_not_heard_and_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tell(tmp_path / "no folder" / "heard.jsonl", "a", True)
    assert "Nobody hears this answer" in caplog.text


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    tell(tmp_path / "heard.jsonl", "a", True)
    assert (tmp_path / "heard.jsonl").stat().st_mode & 0o777 == 0o600
