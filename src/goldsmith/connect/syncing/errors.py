"""What can go wrong with connections and syncs."""

from goldsmith.errors import Conflict, Invalid, NotFound


class ConnectionNotFound(NotFound):
    """There is no connection with this id or name."""

    title = "No such connection"
    default_hint = "List the connections with: goldsmith sources list"


class ConnectionNotUsable(Invalid):
    """What was said about a connection cannot be kept."""

    title = "The connection cannot be kept like this"
    default_hint = "Change what the message names."


class ConnectionNameTaken(Conflict):
    """Another connection has this name."""

    title = "There is a connection with this name"
    default_hint = "Choose another name, or change that connection."


class SecretNotEntered(Conflict):
    """The connection needs a password that is not on this machine."""

    title = "A password has to be entered"
    default_hint = "Enter it on the connection's page, or with: goldsmith sources change"


class ConflictNotFound(NotFound):
    """There is no such conflict of this connection."""

    title = "No such conflict"
    default_hint = "The connection's page lists those that are open."


class RowWithoutSource(NotFound):
    """No sync has brought this row."""

    title = "This row came from no source"
    default_hint = "Its dataset's page says from which file it came."
