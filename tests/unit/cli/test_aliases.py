"""Aliases from the command line."""

import pytest
from tests.factories import make_base_model
from tests.unit.cli.conftest import Line

from goldsmith.cli.aliases import parse
from goldsmith.serve import bell, outside
from goldsmith.serve.errors import SharesNotUsable
from goldsmith.serve.types import Part


@pytest.fixture
def names(line: Line) -> tuple[str, str]:
    with line.filling() as (session, by):
        for name in ("one", "two"):
            outside.attach_engine(
                session,
                f"http://127.0.0.1:{len(name)}{ord(name[0])}",
                base_model_id=make_base_model(session, by=by, name=name).id,
                by=by,
            )
    return "one", "two"


def test_an_alias_is_set_shown_undone_and_removed(line: Line, names: tuple[str, str]) -> None:
    line.json("aliases", "set", "support", "one")
    said = line.run("aliases", "set", "support", "one=90", "two=10%", "--why", "a try")[1]
    assert "support leads to 90 % one, 10 % two now" in said
    shown = line.json("aliases", "show", "support")
    assert [part["share"] for part in shown["targets"]] == [0.9, 0.1]
    assert (shown["history"][0]["why"], shown["history"][0]["who"]) == ("a try", "Ada")
    line.json("aliases", "undo", "support")
    assert line.json("aliases", "list")[0]["leads to"] == "100 % one"
    line.json("aliases", "remove", "support")
    assert line.json("aliases", "list") == []
    line.json("aliases", "undo", "support")
    assert line.json("aliases", "list")[0]["alias"] == "support"


def test_shares_are_percent(names: tuple[str, str]) -> None:
    del names
    assert parse(["one"]) == [Part("one", 1.0)]
    assert parse(["a=b=25", "c=75"]) == [Part("a=b", 0.25), Part("c", 0.75)]
    for words in (["one", "two"], ["one=x", "two=10"], []):
        if words:
            with pytest.raises(SharesNotUsable, match="percent"):
                parse(words)


def test_what_cannot_be_is_said(line: Line, names: tuple[str, str]) -> None:
    del names
    assert line.error("aliases", "set", "support", "one=50", "two=60")[0] == 2
    assert line.error("aliases", "set", "one", "two")[0] == 2
    assert line.error("aliases", "undo", "support")[0] == 5


def test_a_new_model_is_rolled_out_and_back(line: Line, names: tuple[str, str]) -> None:
    old, new = names
    line.json("aliases", "set", "support", old)
    begun = line.json("aliases", "roll-out", "support", new, "--steps", "10, 100")
    assert (begun["state"], begun["percent"]) == ("running", 10)
    assert line.json("aliases", "go-on", "support")["percent"] == 100
    assert line.json("aliases", "roll-back", "support", "--why", "too slow")["message"] == "too slow"
    assert line.json("aliases", "list")[0]["leads to"] == "100 % one"
    assert line.error("aliases", "roll-back", "support")[0] == 4
    assert line.error("aliases", "roll-out", "support", new, "--steps", "ten")[0] == 2
    assert line.json("aliases", "traffic", "support") == []


def test_a_change_from_the_command_line_rings_the_gateways_bell(line: Line, names: tuple[str, str]) -> None:
    assert bell.heard(line.home) == 0
    line.json("aliases", "set", "support", names[0])
    assert bell.heard(line.home) != 0
