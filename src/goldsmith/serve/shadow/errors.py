"""What can go wrong with shadows."""

from goldsmith.errors import Conflict, Invalid, NotFound


class ShadowNotUsable(Invalid):
    """The second model cannot answer along so."""

    title = "This cannot answer along"
    default_hint = (
        "Name a deployed model that the alias does not lead to alone, a share up to 100 %, and up to 32 at once."
    )


class ShadowNotFound(NotFound):
    """No model answers along for this alias, and none did."""

    title = "No shadow"
    default_hint = "Have a second model answer along: goldsmith shadows set ALIAS MODEL"


class NoPairs(Conflict):
    """A dataset is to be made of pairs, and there are none."""

    title = "No pairs yet"
    default_hint = "Wait until somebody asks by the alias's name."
