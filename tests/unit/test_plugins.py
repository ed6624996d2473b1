"""What other packages bring along is there under its name, or left out and named."""

from importlib.metadata import EntryPoint

import pytest

from goldsmith import plugins
from goldsmith.plugins import Found


class Thing:
    """What a plugin could bring."""

    def __init__(self, name: str = "thing") -> None:
        self.name = name


LOUD, EMPTY = Thing("Not A Name"), Thing("")


def explode(thing: Thing) -> None:
    if thing.name == "thing":
        raise RuntimeError("it is broken in a way of its own")


def load(*names: str, ours: tuple[str, ...] = ()) -> Found[Thing]:
    points = [EntryPoint(name.lower(), f"{__name__}:{name}", "goldsmith.things") for name in names]
    known = {name: Thing(name) for name in ours}
    return plugins.load(points, ours=known, name_of=lambda thing: thing.name, check=lambda thing: None)


def test_a_class_is_called_and_stands_behind_ours() -> None:
    found = load("Thing", ours=("own",))
    assert list(found.by_name) == ["own", "thing"]
    assert list(found.packages) == ["thing"]
    assert found.broken == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("LOUD", "is no name"),
        ("EMPTY", "is no name"),
        ("Missing", "AttributeError"),
        ("Thing", "there is one called thing"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_the_reason(name: str, reason: str) -> None:
    found = load(name, ours=("thing",))
    assert list(found.by_name) == ["thing"]
    assert [each.name for each in found.broken] == [name.lower()]
    assert reason in found.broken[0].reason


def test_a_check_that_fails_leaves_it_out() -> None:
    points = [EntryPoint("thing", f"{__name__}:Thing", "goldsmith.things")]
    found: Found[Thing] = plugins.load(points, ours={}, name_of=lambda thing: thing.name, check=explode)
    assert "in a way of its own" in found.broken[0].reason
