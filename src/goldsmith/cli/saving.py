"""Where a command writes a file: checked before the work begins, so that nobody loses a file or waits for nothing."""

from pathlib import Path

from goldsmith.errors import Conflict, Invalid


class FileIsThere(Conflict):
    """A file of that name is there already, and is not replaced without being asked."""

    title = "The file is there already"
    default_hint = "Choose another name with --to, or add --overwrite."


class NoSuchFolder(Invalid):
    """The folder into which the file should go is not there."""

    title = "There is no such folder"
    default_hint = "Make the folder first, or choose another place with --to."


def target_of(path: Path, *, is_overwritten: bool) -> Path:
    """The path as a whole. Raises FileIsThere, NoSuchFolder."""
    path = path.absolute()
    if not path.parent.is_dir():
        raise NoSuchFolder(f"{path.parent} is not a folder.")
    if path.is_dir():
        raise FileIsThere(f"{path} is a folder.", hint="Name the file itself with --to.")
    if path.exists() and not is_overwritten:
        raise FileIsThere(f"{path} is there already.")
    return path
