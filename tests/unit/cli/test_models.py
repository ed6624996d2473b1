"""Models are asked for by name, and a token never stands among the arguments."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.factories import make_base_model

from goldsmith import app
from goldsmith.cli import main
from goldsmith.cli.models import command_to_get
from goldsmith.models import hub_access
from goldsmith.settings import Settings
from goldsmith.storage.database import Database
from goldsmith.storage.files import Home

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command over a home of its own; returns exit code and what was printed."""
    monkeypatch.setenv("GOLDSMITH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GOLDSMITH_DATABASE_URL", raising=False)
    parts = app.assemble(Settings(home=tmp_path / "home", database_url=None))
    app.prepare_database(parts)
    parts.database.dispose()

    def run(*argv: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["goldsmith", *argv])
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_a_name_with_a_slash_is_asked_of_a_hub(call: Call) -> None:
    code, out, _ = call("models", "get", "Org/Small", "--revision", "main", "--name", "small", "--no-wait", "--json")
    said = json.loads(out)
    assert (code, said["state"]) == (0, "queued")
    _, out, _ = call("jobs", "show", said["job"], "--json")
    assert json.loads(out)["title"] == "Get the model small"


def test_what_is_known_of_a_base_model_is_shown(call: Call, tmp_path: Path) -> None:
    parts = app.assemble(Settings(home=tmp_path / "home", database_url=None))
    with parts.database.transaction() as session:
        make_base_model(session, name="Org/Small", source="hub", hub_id="Org/Small")
    parts.database.dispose()
    code, out, _ = call("models", "show", "org/small", "--json")
    said = json.loads(out)
    assert (code, said["name"], said["source"], said["end_marker"]) == (0, "Org/Small", "hub", "<|im_end|>")
    assert {"licence", "context_length", "size_bytes", "template_hash", "hub_commit"} <= said.keys()
    assert call("models", "show", "nobody")[0] == 4


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("models", "get", "gpt2"), 4, "named ORG/NAME"),
        (("models", "get", "smollm2-135m-instruct", "--name", "x"), 2, "are for models from a hub"),
        (("models", "get", "a/b/c"), 2, "the form ORG/NAME"),
        (("models", "get", "org/m", "--name", "load"), 2, "cannot be called"),
        (("models", "get", "org/m", "--revision", "../x"), 2, "no revision"),
    ],
)
def test_what_is_no_model_is_refused_with_what_to_do(call: Call, argv: tuple[str, ...], code: int, words: str) -> None:
    ended, _, err = call(*argv)
    assert ended == code
    assert words in err.replace("\n", " ")


def test_a_token_is_read_from_a_pipe_and_never_printed(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hub_access.token_path(Home(tmp_path / "home"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("hf_secret\n"))
    code, out, err = call("models", "token")
    assert (code, "hf_secret" in out + err) == (0, False)
    assert path.read_text() == "hf_secret\n"
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert call("models", "token", "--remove")[0] == 0
    assert not path.exists()


def test_an_empty_token_is_refused(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    code, _, err = call("models", "token")
    assert code == 2
    assert "goldsmith models token" in err


@pytest.mark.parametrize(
    ("name", "source", "hub_id", "command"),
    [
        ("smollm2-135m-instruct", "builtin", "x/y", "goldsmith models get smollm2-135m-instruct"),
        ("smollm2-135m-instruct", "folder", None, "goldsmith models import PATH --name smollm2-135m-instruct"),
        ("Org/Small", "hub", "Org/Small", "goldsmith models get Org/Small"),
        ("my own", "hub", "Org/Small", "goldsmith models get Org/Small --name 'my own'"),
        ("mine", "gguf", None, "goldsmith models import PATH --name mine"),
    ],
)
def test_every_model_has_a_command_that_brings_it_again(
    database: Database, name: str, source: str, hub_id: str | None, command: str
) -> None:
    with database.transaction() as session:
        assert command_to_get(make_base_model(session, name=name, source=source, hub_id=hub_id)) == command
