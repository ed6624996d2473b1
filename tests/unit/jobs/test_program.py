"""A heavy child sees the GPU of its slot, and no other."""

from pathlib import Path

import pytest

from goldsmith.jobs import program
from goldsmith.jobs.errors import ProgramMissing
from goldsmith.jobs.folder import JobFolder
from goldsmith.storage.files import Home


@pytest.mark.parametrize(
    ("slot", "visible", "seen"),
    [
        ("gpu1", None, "1"),
        ("gpu1", "4,6", "6"),
        ("gpu1", "GPU-a, GPU-b", "GPU-b"),
        ("cpu", "4", "4"),
        (None, None, None),
    ],
)
def test_a_child_sees_the_gpu_of_its_slot_alone(
    home: Home, slot: str | None, visible: str | None, seen: str | None
) -> None:
    parent = {"CUDA_VISIBLE_DEVICES": visible} if visible is not None else {}
    launch = program.launch(JobFolder.of(home, "job_1"), ["python"], parent, slot=slot)
    assert launch.env.get("CUDA_VISIBLE_DEVICES") == seen


def test_the_package_of_a_plugin_is_copied_too_and_not_loaded(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "somewhere" / "their_trainers"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('loaded')")
    (package / "trainer.py").write_text("")
    monkeypatch.syspath_prepend(package.parent)
    folder = JobFolder.of(home, "job_1")
    program.copy_program(folder, "their_trainers.trainer")
    assert (folder.program / "their_trainers" / "trainer.py").exists()
    assert (folder.program / "goldsmith" / "wire").is_dir()
    with pytest.raises(ProgramMissing, match="gone_trainers is not installed"):
        program.copy_program(folder, "gone_trainers.trainer")
