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


class LimitNotUsable(Invalid):
    """A limit of a key is a whole number of at least one."""

    title = "This limit cannot be used"
    default_hint = "Name a whole number from 1 to 1,000,000,000, or none."


class KeyHasLimits(Denied):
    """A key with limits may not change keys, because it could free itself of them."""

    title = "A key with limits changes no keys"
    default_hint = "Use a key without limits, or the page of settings."


class NameNotUsable(Invalid):
    """A person's name must be there, on one line, with at most 100 characters."""

    title = "This name cannot be used"
    default_hint = "Write a name of 1 to 100 characters on one line."
