"""What can go wrong with backups, and with what is sealed."""

from goldsmith.errors import Conflict, Invalid, Unavailable


class ArchiveExists(Conflict):
    """There is a file already where the backup should go."""

    title = "There is a file with this name already"
    default_hint = "Choose another name, or move that file away."


class ArchiveRefused(Invalid):
    """The file is no backup, is cut off, or is not what was written. Nothing was restored."""

    title = "This backup cannot be restored"
    default_hint = "Use another copy of the backup. Nothing was changed."


class NotEmpty(Conflict):
    """A backup is only restored where there is nothing yet."""

    title = "There is something here already"
    default_hint = (
        "Set GOLDSMITH_HOME to an empty folder, and GOLDSMITH_DATABASE_URL, if you use it, to an empty database."
    )


class DiskRefuses(Unavailable):
    """A backup could not be written or read: no room, no permission, a broken disk."""

    title = "The disk refuses"
    default_hint = "Make room, or use another folder, and try again. Nothing was left behind."


class SecretNotReadable(Conflict):
    """What was sealed cannot be opened: the key is another one, or cannot be read."""

    title = "A kept password cannot be opened"
    default_hint = "Put the key back that GOLDSMITH_SEALING_KEY names, or enter the password again."
