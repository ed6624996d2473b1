"""Settings as they are written on a command line."""

import pytest

from goldsmith.cli.settings_given import SettingNotReadable, read_settings, read_varied


def test_a_later_one_counts_and_values_of_one_name_add_up() -> None:
    assert read_settings(["a=1", "b=x=y", "a=2"]) == {"a": "2", "b": "x=y"}
    assert read_varied(["a=1, 2", "b=x", "a=3,"]) == {"a": ["1", "2", "3"], "b": ["x"]}


@pytest.mark.parametrize("written", ["a", "=1", ""])
def test_what_is_not_of_the_form_is_named(written: str) -> None:
    with pytest.raises(SettingNotReadable):
        read_settings([written])
