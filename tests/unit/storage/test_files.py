"""A file is whole or not there."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from goldsmith.storage import files
from goldsmith.storage.files import Home


def test_what_is_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    files.write_whole(tmp_path / "new" / "a.txt", "grüße")
    assert (tmp_path / "new" / "a.txt").read_text(encoding="utf-8") == "grüße"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]
    assert (tmp_path / "new" / "a.txt").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    files.write_whole(tmp_path / "a", b"old")
    with pytest.raises(error), files.whole_file(tmp_path / "a") as file:  # noqa: PT012
        file.write(b"new, but only ha")
        raise error
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    files.write_whole(tmp_path / "a", b"old")
    program = """
import resource, signal, sys
from pathlib import Path
from goldsmith.storage import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    files.write_whole(Path(sys.argv[1]), b"x" * 200_000)
except OSError as error:
    sys.exit(error.errno)
"""
    result = subprocess.run([sys.executable, "-c", program, str(tmp_path / "a")], check=False)
    assert result.returncode == errno.EFBIG
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100_000


def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path: Path) -> None:
    files.write_whole(tmp_path / "a", b"old")
    program = """
import os, sys
from pathlib import Path
from goldsmith.storage import files
with files.whole_file(Path(sys.argv[1])) as file:
    file.write(b"new")
    file.flush()
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "a")], check=False)
    assert (tmp_path / "a").read_bytes() == b"old"


def test_the_home_is_readable_by_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = Home(tmp_path / "home").prepare()
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (home.root, *home.root.iterdir())} == {0o700}


def test_links_do_not_lead_out_of_a_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    assert files.is_under(inside / "a" / ".." / "b", (inside,))
    assert not files.is_under(inside / "link" / "a", (inside,))
    assert not files.is_under(inside / ".." / "outside", (inside,))


def test_a_folder_is_removed_without_following_its_links(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(kept)
    (tmp_path / "link").symlink_to(kept)
    files.remove_folder(folder)
    files.remove_folder(tmp_path / "link")
    files.remove_folder(tmp_path / "absent")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").exists()


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "A", "a b", "ä", "a" * 65, "a\n", "-x"])
def test_names_that_are_not_safe(name: str) -> None:
    assert not files.is_safe_name(name)


@pytest.mark.parametrize("name", ["a", "smollm2-135m", "v1.2_x", "0" * 64])
def test_names_that_are_safe(name: str) -> None:
    assert files.is_safe_name(name)


def test_an_own_secret_is_made_once_and_another_name_has_another(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").prepare()
    first = home.own_secret("one")
    assert len(first) == 64
    assert (home.own_secret("one"), Home(home.root).own_secret("one")) == (first, first)
    assert home.own_secret("two") != first
    assert (home.secrets / "one.key").stat().st_mode & 0o777 == 0o600
