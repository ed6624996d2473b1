"""What can go wrong between a caller and an engine. `param` names the field, as OpenAI's errors do."""

from collections.abc import Mapping
from typing import Final

from goldsmith.errors import Conflict, Denied, Invalid, NotFound, Unavailable

NO_HEADERS: Final[Mapping[str, str]] = {}


class BadField(Invalid):
    """A field of the request is not usable; `param` is its path."""

    title = "A field cannot be used"
    default_hint = "Change the field that is named."

    def __init__(self, message: str, *, hint: str | None = None, param: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.param = param


class BodyNotJson(BadField):
    """The body is not a JSON object."""

    title = "The body is not JSON"
    default_hint = "Send one JSON object, as OpenAI's API wants it."


class FieldNotAllowed(BadField):
    """The request has a field that is not passed on to engines."""

    title = "A field is not passed on"
    default_hint = "Leave it out."


class ValueNotAllowed(BadField):
    """A field has a value of the wrong kind, or beyond its limit."""

    title = "A value is beyond its limit"
    default_hint = "Change the value."


class EndangersEngine(BadField):
    """The request would kill an engine that runs on a processor: log-probabilities of a prompt, beside adapters."""

    title = "The engine would not survive this request"
    default_hint = "Ask for the log-probabilities of the answer alone."


class BodyTooLong(Invalid):
    """The body is longer than what is passed on to an engine."""

    title = "The body is too long"
    default_hint = "Send less at once."


class NoPerson(Denied):
    """The request reached the gateway without a person."""

    title = "Who is asking?"
    default_hint = "Make a key with: goldsmith keys add"


class ModelNotOffered(NotFound):
    """No model that is live has this name."""

    title = "No such model"
    default_hint = "Name one of those that are listed, or deploy it first: goldsmith models deploy MODEL"


class NoDefaultModel(NotFound):
    """The request names no model, or `default`, and nobody has made one the default yet."""

    title = "No model is the default"
    default_hint = (
        "Name a model, or make one the default: on the model's page (/models) with “Make it the default”, "
        "or with: goldsmith models switch MODEL"
    )


class NotOfferedByEngine(NotFound):
    """The engine of this model has no such address."""

    title = "The engine does not offer this"
    default_hint = "Ask for chat completions, or name a model whose engine can do it."


class EngineNotReady(Unavailable):
    """The model should be live, but its engine is starting, or has not loaded it yet."""

    title = "The model is not ready yet"
    default_hint = "Try again in some seconds; GET /v1/models/active says how it stands."

    def __init__(self, message: str, *, hint: str | None = None, engine_id: str = "") -> None:
        super().__init__(message, hint=hint)
        self.engine_id = engine_id


class EngineUnreachable(Unavailable):
    """The engine could not be reached, or went away in the middle."""

    title = "The engine went away"
    default_hint = "Try again in some seconds; Goldsmith starts it again by itself."


class EngineTooSlow(Unavailable):
    """The engine was silent for so long that the request was given up."""

    title = "The engine did not answer in time"
    default_hint = "Ask for fewer tokens, or for a stream."


class EngineTalksNonsense(Unavailable):
    """The engine said that all is well, and sent no answer: an error, half of one, or something else."""

    title = "The engine did not answer properly"
    default_hint = "Try again; if it goes on, start the engine anew and look at its log."


class EngineSaysNo(Conflict):
    """The engine does not let Goldsmith in with the key that is kept for it."""

    title = "The engine refuses our key"
    default_hint = "Attach the engine again with its right key."


class TooManyRequests(Unavailable):
    """A key has asked as much as it may. `kind` is what ran out: `requests` or `tokens`."""

    title = "This key has asked as much as it may"
    default_hint = "Wait as long as Retry-After says, or have its limits raised: goldsmith keys limit KEY_ID"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        kind: str = "requests",
        retry_after_s: int = 1,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.headers = headers


class RoutesTooOld(Unavailable):
    """Where names lead could not be read from the database for so long that it may have changed."""

    title = "Not known where models are"
    default_hint = "Look whether the database answers: goldsmith doctor"
