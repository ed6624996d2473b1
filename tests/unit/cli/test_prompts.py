"""`goldsmith prompts`: every wording that a prompt ever had."""

from tests.unit.cli.conftest import Line


def test_a_prompt_shows_its_wordings_newest_first(line: Line) -> None:
    line.json("prompts", "save", "topics", "--template", "Topic of {{message}}?")
    line.json("prompts", "save", "topics", "--template", "Which topic has {{message}}?", "--system", "Be brief.")
    said = line.json("prompts", "show", "topics")
    assert [one["number"] for one in said["versions"]] == [2, 1]
    assert (said["versions"][0]["system"], said["versions"][1]["template"]) == ("Be brief.", "Topic of {{message}}?")


def test_a_prompt_that_is_not_there_is_said(line: Line) -> None:
    assert line.error("prompts", "show", "none")[0] == 4
