"""The menu: only what exists, the current page marked, one key for each entry."""

from goldsmith.web.navigation import MENU, menu

ALL = {entry.path for group in MENU for entry in group.entries}


def test_entries_without_a_page_are_left_out_and_empty_groups_too() -> None:
    groups = menu({"/activity"}, "activity", {"activity": "1 running"})
    assert [(group.label, [line.entry.name for line in group.lines]) for group in groups] == [
        ("This machine", ["activity"])
    ]
    assert groups[0].lines[0].is_current
    assert groups[0].lines[0].count == "1 running"


def test_at_most_one_entry_is_current() -> None:
    lines = [line for group in menu(ALL, "stars", {}) for line in group.lines]
    assert [line.entry.name for line in lines if line.is_current] == ["stars"]


def test_no_two_entries_share_a_key_an_address_or_a_name() -> None:
    entries = [entry for group in MENU for entry in group.entries]
    keys = [entry.key for entry in entries if entry.key]
    assert len(keys) == len(set(keys))
    assert len({entry.path for entry in entries}) == len({entry.name for entry in entries}) == len(entries)
