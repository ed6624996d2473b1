"""A source that is not connected is said to be so."""

import pytest

from goldsmith.connect.errors import SourceNotConnected
from goldsmith.web.connect.found import connected


def test_a_source_without_settings_is_not_connected() -> None:
    for sources in ({}, {"aristotle": lambda: None}):
        with pytest.raises(SourceNotConnected, match="how to reach Aristotle"):
            connected(sources, "aristotle")
