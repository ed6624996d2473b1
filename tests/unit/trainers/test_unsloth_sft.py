"""Unsloth's program takes the settings that all take; what it does is tested with the real model."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from goldsmith.trainers import unsloth_sft
from goldsmith.trainers._report import Failure, Job


def test_what_is_no_setting_is_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNSLOTH_COMPILE_LOCATION", "as it was")  # and is again afterwards
    order = SimpleNamespace(settings={"surprise": 1}, device="gpu")
    job = cast("Job", SimpleNamespace(order=order, folder=tmp_path, finished_figures=lambda: None))
    with pytest.raises(Failure, match="surprise"):
        unsloth_sft.work(job)
