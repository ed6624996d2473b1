"""What can go wrong with people and keys."""

from goldsmith.errors import Denied, Invalid, NotFound


class NotSignedIn(Denied):
    """Neither a signed cookie of this browser nor a valid key came with the request."""

    title = "Who is asking?"
    default_hint = "Open the pages in a browser and say your name, or make a key with: goldsmith keys add"


class KeyNotFound(NotFound):
    """There is no key with this id."""

    title = "No such key"
    default_hint = "List the keys with: goldsmith keys list"


class NameNotUsable(Invalid):
    """A person's name must be there, on one line, with at most 100 characters."""

    title = "This name cannot be used"
    default_hint = "Write a name of 1 to 100 characters on one line."
