"""What can go wrong at the door and with forms, before any step is reached."""

from goldsmith.errors import Denied, Invalid, NotFound, Unavailable
from goldsmith.people.errors import NotSignedIn


class HostNotAllowed(Denied):
    """The request asks for a host name under which these pages are not offered."""

    title = "Unknown host name"
    default_hint = "Open http://127.0.0.1:8001, or name the host in GOLDSMITH_ALLOWED_HOSTS."


class AmbiguousRequest(Invalid):
    """The request can be read in two ways, so it is not read at all."""

    title = "Ambiguous request"
    default_hint = "Send each of Host, Content-Length and Authorization at most once."


class ForeignOrigin(Denied):
    """The request was started by a page of somebody else."""

    title = "Asked from another site"
    default_hint = "Do this on Goldsmith's own pages, or with a key: Authorization: Bearer gsk_…"


class TokenNotGood(NotSignedIn):
    """The token of another application's page has run out, its key was revoked, or it was never one of ours."""

    title = "The token is not good any more"
    default_hint = "The application's server asks for a new one: POST /v1/embed/tokens with its key."


class TokenNeeded(NotSignedIn):
    """Addresses for the pages of other applications are opened by a token alone, by no key and by no cookie."""

    title = "Here a token is needed"
    default_hint = "The application's server asks for one: POST /v1/embed/tokens with its key."


class TokenOpensOnlyParts(Denied):
    """A token for the parts that another application shows opens no other address."""

    title = "A token does not open this"
    default_hint = "Ask with a key from a server, never from a page: Authorization: Bearer gsk_…"


class TokenOnlyTells(Denied):
    """A source's token says that something has changed there, and opens nothing else."""

    title = "This token does not open this"
    default_hint = "Ask with a key of your own, from: goldsmith keys add"


class KeyNeeded(Denied):
    """Tokens are given to servers that have a key; a browser's cookie is not enough."""

    title = "Here a key is needed"
    default_hint = "Make a key for the application's server with: goldsmith keys add"


class BodyTooLarge(Invalid):
    """The request's body is larger than what is taken in one piece."""

    title = "Too much at once"
    default_hint = "Send less at once, or upload a file on the page Data."


class WrongContentType(Invalid):
    """The API takes JSON only when the request says that it is JSON."""

    title = "Wrong content type"
    default_hint = "Send the header: Content-Type: application/json"


class KeyNotChecked(Unavailable):
    """The keys cannot be read from the database, so nobody is let in on a key's word."""

    title = "Keys cannot be checked now"
    default_hint = "Look whether the database answers: goldsmith doctor"


class PortTaken(Unavailable):
    """Another program listens on the port of the pages, or the port is reserved."""

    title = "The port is taken"
    default_hint = "Stop the other program, or choose another port: GOLDSMITH_PORT=8002 goldsmith up"


class DatabaseNotAnswering(Unavailable):
    """The database refused or did not answer; nothing of this request was saved."""

    title = "The database is not answering"
    default_hint = "Try again in a few seconds; if it goes on, run: goldsmith doctor"


class DiskFull(Unavailable):
    """There is no room left on the disk; nothing of this request was saved."""

    title = "The disk is full"
    default_hint = "Make room in the home folder's disk, then try again."


class PageNotFound(NotFound):
    """There is no page and no API under this address."""

    title = "Nothing is here"
    default_hint = "Start from the home page."


class MethodNotOffered(Invalid):
    """The address exists, but not for this kind of request."""

    title = "Not offered this way"
    default_hint = "Look at the address and the method; the API's description is at /v1/openapi.json."


class RequestNotUnderstood(Invalid):
    """A value in the address, the form or the JSON is missing or not usable; the message names each."""

    title = "Some values are missing or not usable"
    default_hint = "Change the values that are named, and send it again."


class FormNotUsable(RequestNotUnderstood):
    """A form was sent whose values cannot be used; the page shows them at their fields."""
