"""What can go wrong when another application shows Goldsmith's parts."""

from goldsmith.errors import Conflict, Denied


class NotGranted(Denied):
    """The token that the page holds does not allow this."""

    title = "This page may not do that"
    default_hint = "The application's server asks for a token; it names in `may` what its page may do."


class StarsNotSeparable(Conflict):
    """Stars that were given in Goldsmith lie beside those of other organisations, so no page exports them."""

    title = "Stars of several organisations lie together"
    default_hint = "Export them on Goldsmith's own pages, or name the philosopher's own domain in the token."
