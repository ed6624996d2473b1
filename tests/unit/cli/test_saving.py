"""A command that writes a file looks first whether it may."""

from pathlib import Path

import pytest

from goldsmith.cli.saving import FileIsThere, NoSuchFolder, target_of


def test_a_new_name_in_a_folder_that_is_there_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert target_of(Path("a.csv"), is_overwritten=False) == tmp_path / "a.csv"


def test_a_file_that_is_there_is_only_taken_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("precious")
    with pytest.raises(FileIsThere):
        target_of(path, is_overwritten=False)
    assert target_of(path, is_overwritten=True) == path


def test_a_folder_is_never_replaced_and_never_made(tmp_path: Path) -> None:
    with pytest.raises(FileIsThere, match="is a folder"):
        target_of(tmp_path, is_overwritten=True)
    with pytest.raises(NoSuchFolder):
        target_of(tmp_path / "none" / "a.csv", is_overwritten=True)
