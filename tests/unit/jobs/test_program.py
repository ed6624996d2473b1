"""A heavy child sees the GPU of its slot, and no other."""

import pytest

from goldsmith.jobs import program
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
