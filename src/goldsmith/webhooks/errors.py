"""What can go wrong with webhooks."""

from goldsmith.errors import Invalid, NotFound


class WebhookNotFound(NotFound):
    """There is no webhook with this id."""

    title = "No such webhook"
    default_hint = "List the webhooks with: goldsmith webhooks list"


class MessageNotFound(NotFound):
    """There is no message of this webhook with this id."""

    title = "No such message"
    default_hint = "List its messages with: goldsmith webhooks messages WEBHOOK"


class AddressNotAllowed(Invalid):
    """Messages do not go to this address: it is none, it is not public, or it is not encrypted."""

    title = "Webhooks do not go there"
    default_hint = (
        "Use https and a public host; a host of your own network has to be named in GOLDSMITH_WEBHOOK_HOSTS first."
    )


class EventUnknown(Invalid):
    """Nothing of this name is ever told."""

    title = "No such event"
    default_hint = "Choose among those that the message lists."
