"""`goldsmith sources`: from connecting one to taking it away."""

from pathlib import Path

import pytest
from tests.syncing import make_sqlite
from tests.unit.cli.conftest import Line


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    folder: Path = tmp_path_factory.mktemp("outside")
    monkeypatch.setenv("GOLDSMITH_IMPORT_ROOTS", str(folder))
    return make_sqlite(folder / "shop.db")


def test_a_source_is_connected_tested_changed_and_removed(line: Line, address: str) -> None:
    said = ("--set", f"address={address}", "--set", "query=SELECT * FROM tickets", "--set", "id_column=id")
    made = line.json("sources", "add", "sql", "--name", "Shop", *said, "--every", "60")
    assert (made["name"], made["every_minutes"]) == ("Shop", 60)
    tested = line.json("sources", "test", "Shop")
    assert tested["columns"] == ["id", "question", "answer", "changed_at"]
    changed = line.json("sources", "change", "Shop", "--set", "query=SELECT id FROM tickets", "--every", "0")
    assert (changed["options"]["query"], changed["every_minutes"]) == ("SELECT id FROM tickets", None)
    assert line.json("sources", "test", made["id"])["columns"] == ["id"]
    assert [each["last"] for each in line.json("sources", "list")] == ["not read yet"]
    assert line.json("sources", "remove", "Shop")["removed"] is True
    assert line.json("sources", "list") == []


def test_what_can_be_connected_is_listed(line: Line) -> None:
    assert {each["kind"] for each in line.json("sources", "kinds")} >= {"sql", "folder"}


def test_an_option_without_a_value_and_an_unknown_password_are_refused(line: Line) -> None:
    assert "says no value" in line.error("sources", "add", "sql", "--name", "x", "--set", "address")[1]["detail"]
    assert "it has: password" in line.error("sources", "add", "sql", "--name", "x", "--secret", "pin")[1]["detail"]
