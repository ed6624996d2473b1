"""What can go wrong with kept traffic."""

from goldsmith.errors import Conflict, Invalid


class KeepingNotUsable(Invalid):
    """The rule asks for something that cannot be kept so."""

    title = "This cannot be kept so"
    default_hint = "Say a share from 0 to 100 %, 1 to 365 days, and an alias that is there."


class NothingKept(Conflict):
    """A dataset is to be made of kept requests, and there are none."""

    title = "Nothing was kept"
    default_hint = "Have requests kept first: goldsmith kept set --share 100; then wait until somebody asks."
