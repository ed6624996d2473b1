"""The command line as programs call it: JSON out, sentences and exit codes for errors."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from goldsmith import app
from goldsmith.cli import main
from goldsmith.settings import Settings


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database is migrated already: that takes a second, and every test wants one."""
    home = tmp_path_factory.mktemp("migrated")
    parts = app.assemble(Settings(home=home, database_url=None))
    app.prepare_database(parts)
    parts.database.dispose()
    return home


@pytest.fixture(autouse=True)
def _own_home(migrated_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(migrated_home, tmp_path / "home")
    monkeypatch.setenv("GOLDSMITH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GOLDSMITH_DATABASE_URL", raising=False)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["goldsmith", *argv])
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def run_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    code, out, err = run(monkeypatch, capsys, *argv, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_key_is_shown_once_and_listed_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = run_json(monkeypatch, capsys, "keys", "add", "ci")
    assert made["key"].startswith("gsk_")
    _, out, _ = run(monkeypatch, capsys, "keys", "list", "--json")
    assert made["key"] not in out
    assert [key["label"] for key in json.loads(out)] == ["ci"]
    run_json(monkeypatch, capsys, "keys", "revoke", made["id"])
    assert run_json(monkeypatch, capsys, "keys", "list")[0]["revoked"] is not None


def test_a_file_is_queued_for_import_and_waits_for_a_supervisor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("question,answer\nWhat?,That.\n")
    said = run_json(monkeypatch, capsys, "data", "import", str(file), "--no-wait")
    assert said["state"] == "queued"
    assert run_json(monkeypatch, capsys, "jobs", "show", said["job"])["title"] == "Import rows.csv"


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("jobs", "show", "job_x"), 4, "goldsmith jobs list"),
        (("train", "start", "--base-model", "none"), 4, "goldsmith models list"),
        (("train", "start", "--base-model", "m", "--backend", "magic"), 2, "There are: axolotl, fake, openai, trl"),
        (("train", "start", "--base-model", "m", "--set", "num_epochs"), 2, "num_epochs=3"),
        (("models", "get", "gpt-99"), 4, "smollm2-135m-instruct"),
    ],
)
def test_an_error_is_a_sentence_with_a_hint_and_its_familys_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argv: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    ended, _, err = run(monkeypatch, capsys, *argv)
    assert ended == code
    assert words in err.replace("\n", " ")


def test_the_plan_of_a_training_is_printed_and_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ("train", "start", "--base-model", "any", "--set", "num_epochs=3", "--dry-run")
    plan = run_json(monkeypatch, capsys, *argv)
    assert plan["program"] == "goldsmith.trainers.trl_sft"
    assert plan["settings"]["num_epochs"] == 3
    assert run_json(monkeypatch, capsys, "jobs", "list") == []


def test_doctor_names_what_is_missing_and_the_one_command_that_cures_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(monkeypatch, capsys, "doctor")
    assert code == 1
    assert "goldsmith env install trl" in out
    assert "goldsmith models get smollm2-135m-instruct" in out
