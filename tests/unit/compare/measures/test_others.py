"""Measures of plugins stand beside ours, and disturb nothing when they fail."""

import math
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from goldsmith.compare.measures import others
from goldsmith.compare.types import MeasuredAnswer
from goldsmith.plugins import Found


def _characters(answer: MeasuredAnswer, expected: str) -> float | None:
    return None if answer.text is None else len(answer.text) - len(expected)


def _fails(answer: MeasuredAnswer, expected: str) -> float:
    raise ZeroDivisionError(f"{answer.text} {expected}")


MORE = SimpleNamespace(NAME="more", UNIT="characters", measure=_characters)
FAILS = SimpleNamespace(NAME="fails", UNIT="", measure=_fails)
ENDLESS = SimpleNamespace(NAME="endless", UNIT="", measure=lambda answer, expected: math.inf)
POOR = SimpleNamespace(NAME="poor", UNIT=7, measure=_characters)
ANSWERS = [(MeasuredAnswer("yes"), "ye"), (MeasuredAnswer("no"), "n" * 5), (MeasuredAnswer(None), "x")]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint(name, f"{__name__}:{name.upper()}", "goldsmith.measures") for name in ("more", "fails", "endless")
    ]
    found = others.found(points)
    monkeypatch.setattr(others, "installed", lambda: found)


@pytest.mark.usefixtures("installed")
def test_each_has_its_mean_over_what_was_answered() -> None:
    found = others.measured(ANSWERS)
    assert found["more"] == {"unit": "characters", "mean": -1.0, "num": 2}
    assert found["fails"] == {"unit": "", "failed": "ZeroDivisionError: yes ye"}
    assert "no finite number" in found["endless"]["failed"]
    assert "exact_match" not in found, "ours are counted elsewhere"


def test_without_plugins_there_is_nothing_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "installed", lambda: Found({}))
    assert others.measured(ANSWERS) == {}


def test_what_is_no_measure_or_takes_our_name_is_left_out() -> None:
    points = [
        EntryPoint("poor", f"{__name__}:POOR", "goldsmith.measures"),
        EntryPoint("length", "goldsmith.compare.measures.length", "goldsmith.measures"),
    ]
    assert [each.name for each in others.found(points).broken] == ["length", "poor"]
