"""The name under which jobs are claimed stays with the home folder and its machine."""

from pathlib import Path

import pytest

from goldsmith.jobs import place
from goldsmith.jobs.place import own_name
from goldsmith.storage.files import Home


@pytest.fixture(autouse=True)
def machine_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "machine-id"
    path.write_text("one\n")
    monkeypatch.setattr(place, "MACHINE_ID", path)
    return path


def test_the_name_stays_though_the_host_is_called_otherwise(home: Home) -> None:
    name = own_name(home, "laptop")
    assert name.startswith("laptop-")
    assert own_name(home, "in another network") == name


def test_a_copy_of_the_home_on_another_machine_gets_a_name_of_its_own(home: Home, machine_id: Path) -> None:
    name = own_name(home, "laptop")
    machine_id.write_text("two\n")
    other = own_name(home, "laptop")
    assert other != name
    assert own_name(home, "laptop") == other


def test_a_machine_without_an_id_keeps_its_name_too(home: Home, machine_id: Path) -> None:
    machine_id.unlink()
    assert own_name(home, "container") == own_name(home, "container")


def test_a_long_host_name_still_fits_the_column(home: Home) -> None:
    assert len(own_name(home, "h" * 400)) <= 255
