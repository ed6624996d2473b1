"""What can go wrong with sources."""

from goldsmith.errors import Conflict, Denied, Invalid, NotFound, Unavailable


class SourceNotConnected(Conflict):
    """Nobody has said where the source is."""

    title = "This source is not connected"
    default_hint = "Set ARISTOTLE_DATABASE_URL, or ARISTOTLE_DB_HOST and its like, and start Goldsmith again."


class SourceNotAnswering(Unavailable):
    """The source does not answer, or breaks off."""

    title = "The source does not answer"
    default_hint = "See whether it runs and lets this machine in; then run: goldsmith aristotle check"


class SchemaNotKnown(Conflict):
    """The source's database lacks a table or a column without which it cannot be read."""

    title = "The database is not as expected"
    default_hint = "Run: goldsmith aristotle check. It lists what was found under which name, and what was not."


class RoleMayNot(Denied):
    """The database's role has no right to this."""

    title = "The database's role may not do this"
    default_hint = "Give the role what docs/howto/bring-stars-from-aristotle.md lists, and no more."


class ScopeNotFound(NotFound):
    """Nobody's stars came in under this id."""

    title = "No such stars"
    default_hint = "See whose stars came in under Settings, Aristotle; or run: goldsmith aristotle stars"


class NotYourScope(Denied):
    """Stars of an organisation that the caller does not belong to."""

    title = "Not yours to ask for"
    default_hint = "Ask for your own organisation's domain, or use a key of a person who belongs to that one."


class SystemMessageNotChosen(Invalid):
    """The source has not kept the system message that the answers were asked with, and nobody has said it yet."""

    title = "The system message has to be chosen once"
    default_hint = 'Send system_message: the very text that production sends, or "" where it sends none.'


class ConquestTypeUnknown(Invalid):
    """There is no such type of conquest."""

    title = "No such type of conquest"
    default_hint = "Leave the type out, or use one of those that the message lists."


class WishNotPossible(Invalid):
    """What is asked of a source is outside of what can be."""

    title = "This cannot be asked"
    default_hint = "Change the value that the message names."


class MigrationRefused(Conflict):
    """The change to the source's database is not Goldsmith's to make or to take back."""

    title = "This is not changed"
    default_hint = "Run: goldsmith aristotle check. It says what is there."


class SubjectNotFound(NotFound):
    """The eidos or a candidate is not there, or not this philosopher's and this domain's."""

    title = "No such eidos or candidate"
    default_hint = (
        "Compare the ids that the message names with Aristotle's; whose they are is compared letter by letter."
    )


class WhoseNotSaid(Invalid):
    """Neither the request nor the eidos says whose it is, so it is not known whose examples may be used."""

    title = "It is not said whose this is"
    default_hint = "Send philosopher and domain."


class NothingToAsk(Invalid):
    """The eidos or the candidate is there, and holds nothing that a model could be asked."""

    title = "Nothing to ask"
    default_hint = "Look at the row in Aristotle; goldsmith aristotle check says which of its columns are used."


class IdempotencyKeyUsed(Conflict):
    """The same idempotency key came with another request."""

    title = "The idempotency key was used for something else"
    default_hint = "Send a new key with a new request; the same key answers with what the first request became."


class ExecutionNotFound(NotFound):
    """There is no execution with this id."""

    title = "No such execution"
    default_hint = "The page of Aristotle under settings lists the last ones."
