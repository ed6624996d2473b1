from pathlib import Path

import pytest

from goldsmith.wire import manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "result"
    (target / "sub").mkdir(parents=True)
    (target / "a.bin").write_bytes(b"abc")
    (target / "sub" / "b.bin").write_bytes(b"")
    return target


def test_a_folder_counts_once_its_manifest_is_there(folder: Path) -> None:
    assert manifest.read_whole(folder) is None
    written = manifest.write(folder, step=4)
    assert manifest.read_whole(folder) == written
    assert written["step"] == 4
    assert written["files"]["a.bin"]["size_bytes"] == 3
    assert set(written["files"]) == {"a.bin", "sub/b.bin"}
    assert not (folder / "manifest.json.partial").exists()


def test_writing_again_gives_the_same_text(folder: Path) -> None:
    manifest.write(folder)
    first = (folder / manifest.FILE_NAME).read_bytes()
    manifest.write(folder)
    assert (folder / manifest.FILE_NAME).read_bytes() == first


@pytest.mark.parametrize("harm", ["changed", "same_size", "missing", "added", "no_json", "no_files", "not_an_object"])
def test_a_folder_that_is_not_as_its_manifest_says_does_not_count(folder: Path, harm: str) -> None:
    manifest.write(folder)
    if harm == "changed":
        (folder / "a.bin").write_bytes(b"abcd")
    elif harm == "same_size":
        (folder / "a.bin").write_bytes(b"abd")
    elif harm == "missing":
        (folder / "a.bin").unlink()
    elif harm == "added":
        (folder / "optimizer.bin").write_bytes(b"x")
    else:
        text = {"no_json": "{", "no_files": "{}", "not_an_object": "[]"}[harm]
        (folder / manifest.FILE_NAME).write_text(text)
    assert manifest.read_whole(folder) is None


def test_numbers_that_json_does_not_know_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        manifest.write(folder, loss=float("nan"))
    assert manifest.read_whole(folder) is None
