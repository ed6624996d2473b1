"""What can go wrong with a source of rows, whatever its kind. The messages never repeat a secret."""

from goldsmith.errors import Denied, Invalid, NotFound, Unavailable


class SourceKindUnknown(NotFound):
    """There is no such kind of source, or its plugin could not be loaded."""

    title = "No such kind of source"
    default_hint = "Use one of those that the message lists; goldsmith doctor says which plugins could not be loaded."


class OptionsNotUsable(Invalid):
    """What was filled in cannot lead to a source."""

    title = "The source cannot be reached like this"
    default_hint = "Change what the message names, then test the connection."


class QueryRefused(Invalid):
    """The query is not one single SELECT."""

    title = "This query is not run"
    default_hint = "Write one SELECT that gives the rows; nothing else is ever sent to a source."


class SourceSilent(Unavailable):
    """The source does not answer, or breaks off, or takes too long."""

    title = "The source does not answer"
    default_hint = "See whether it runs and lets this machine in, then test the connection again."


class SourceRefused(Denied):
    """The source does not let us in, or not to this."""

    title = "The source refuses"
    default_hint = "Check name, password and rights; reading is all that is needed."
