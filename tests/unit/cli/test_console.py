"""What people wrote is printed as it is, brackets included."""

import pytest

from goldsmith.cli.console import Cli

BRACKETS = "[/INST] [bold]not bold[/bold]"


def test_brackets_in_a_table_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    Cli().table([{"answer": BRACKETS, "stars": None}], empty="none")
    assert BRACKETS in capsys.readouterr().out


@pytest.mark.parametrize("text", [None, BRACKETS])
def test_brackets_in_a_result_are_text(capsys: pytest.CaptureFixture[str], text: str | None) -> None:
    Cli().show({"answer": BRACKETS}, text)
    assert BRACKETS in capsys.readouterr().out


def test_brackets_are_text_where_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Cli().table([], empty=BRACKETS)
    assert BRACKETS in capsys.readouterr().out
