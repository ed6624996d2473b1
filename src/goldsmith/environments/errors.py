"""What can go wrong with environments."""

from goldsmith.errors import Conflict, Invalid, NotFound, Unavailable


class EnvironmentMissing(NotFound):
    """A program is needed (a trainer or an engine) whose environment is not installed, or only half."""

    title = "An environment is not installed"
    default_hint = "See what there is with: goldsmith env list"


class NoLockForThisMachine(Invalid):
    """Goldsmith ships no list of exact versions (a lock) for this Python on this kind of machine."""

    title = "No list of packages for this machine"
    default_hint = "Use Python 3.11 on Linux (x86-64), or attach an engine that runs already, on the page /settings."


class LockUnreadable(Invalid):
    """A list of exact versions (a lock) that ships with Goldsmith has a line that cannot be read."""

    title = "A list of packages is damaged"
    default_hint = "Install Goldsmith again: its package is damaged."


class InstallUnderWay(Conflict):
    """The same environment is being installed or removed by somebody else right now."""

    title = "Somebody else is at it"
    default_hint = "Wait for the other install to end, and look with: goldsmith env list"


class EnvironmentInUse(Conflict):
    """Programs run from the environment that should be replaced or removed."""

    title = "The environment is in use"
    default_hint = "Stop what runs in it first: goldsmith down"


class NotEnoughDisk(Unavailable):
    """The disk has less room than the environment takes."""

    title = "Too little room on the disk"
    default_hint = "Free some room, or put the home elsewhere with GOLDSMITH_HOME."


class RegistryDoesNotAnswer(Unavailable):
    """The place where packages come from could not be reached."""

    title = "The package registry does not answer"
    default_hint = (
        "Check the network, the proxy and pip's configuration (pip config list), then start the install again."
    )


class EnvironmentInstallFailed(Unavailable):
    """The install of an environment ended with an error; nothing of it was left behind."""

    title = "The environment could not be installed"
    default_hint = "Read the last lines above, cure what they name, then start the install again."
