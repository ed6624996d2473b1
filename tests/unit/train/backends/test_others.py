"""Backends of plugins are held to what a form and a page need of one."""

from importlib.metadata import EntryPoint

import pytest
from pydantic import Field

from goldsmith.plugins import BACKENDS
from goldsmith.train.backends import others
from goldsmith.train.backends.base import Options
from goldsmith.train.backends.fake import Fake


class Whole(Fake):
    name = "whole"


class Needy(Fake):
    class Needs(Options):
        rank: int = Field(title="Rank")
        """Without a default."""

    name, options = "needy", Needs


class Silent(Fake):
    class Says(Options):
        rank: int = 8

    name, options = "silent", Says


class Odd(Fake):
    name, options = "odd", dict  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("cls", "reason"), [("Needy", "lack a default: rank"), ("Silent", "needs a title"), ("Odd", "not made from")]
)
def test_one_that_no_form_could_show_is_left_out(cls: str, reason: str) -> None:
    points = [EntryPoint(name, f"{__name__}:{name}", BACKENDS) for name in (cls, "Whole")]
    found = others.found(points, ours={"fake": Fake()})
    assert list(found.by_name) == ["fake", "whole"]
    assert reason in found.broken[0].reason
