"""A folder becomes one file, whole or not at all."""

import zipfile
from pathlib import Path

import pytest

from goldsmith.models.exports import packing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "model"
    (found / "deeper").mkdir(parents=True)
    (found / "README.md").write_text("# read me")
    (found / "deeper" / "weights").write_bytes(b"12345678")
    (found / "link").symlink_to("/etc/passwd")
    return found


def test_every_file_is_in_it_and_no_link_is_followed(folder: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    target = tmp_path / "out" / "support-merged.zip"
    packing.pack(folder, target, on_bytes=seen.append, should_stop=lambda: False)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["support-merged/README.md", "support-merged/deeper/weights"]
        assert archive.read("support-merged/deeper/weights") == b"12345678"
    assert seen[-1] == 17
    again = tmp_path / "again" / "support-merged.zip"
    packing.pack(folder, again, on_bytes=seen.append, should_stop=lambda: False)
    assert again.read_bytes() == target.read_bytes()


def test_a_stop_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(packing.StoppedPacking):
        packing.pack(folder, tmp_path / "out" / "x.zip", on_bytes=lambda _: None, should_stop=lambda: True)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_is_named_after_its_model_and_says_when_it_is_not_good() -> None:
    assert packing.file_name("Support / triage é", "merged", is_good=True) == "support-triage-merged.zip"
    assert packing.file_name("模型", "adapter", is_good=False) == "model-adapter-not-good.zip"
