"""Types of conquests have two spellings."""

import pytest

from goldsmith.connect.aristotle.types import plain_type, wanted_type
from goldsmith.connect.errors import ConquestTypeUnknown


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("candidate_evaluation", "CANDIDATE"),
        ("CANDIDATE", "CANDIDATE"),
        ("cv-parsing", "CV_PARSING"),
        ("career mapping", "CARTOGRAPHER"),
        ("something", "SOMETHING"),
    ],
)
def test_spellings(written: str, plain: str) -> None:
    assert plain_type(written) == plain


def test_only_known_types_can_be_asked_for() -> None:
    assert wanted_type(None) is None
    assert wanted_type("email_evaluation") == "EMAIL_RESPONSE"
    with pytest.raises(ConquestTypeUnknown, match="There are: CANDIDATE, "):
        wanted_type("something")
