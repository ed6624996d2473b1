"""The gateway's rules for requests that reach an engine by another way: in a batch, whose worker asks it. Pure."""

from collections.abc import Mapping
from typing import Any

from goldsmith.errors import GoldsmithError, Invalid
from goldsmith.gateway import body
from goldsmith.gateway.answers import error_object, status_of
from goldsmith.gateway.endpoints import ENDPOINTS
from goldsmith.gateway.errors import ValueNotAllowed
from goldsmith.run.batches.types import Refusal
from goldsmith.serve.types import CAN_WAIT, Target


class BatchRules:
    """What `run/batches` wants to be handed in."""

    def check(self, endpoint: str, sent: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body with what may be passed on. Raises FieldNotAllowed, ValueNotAllowed."""
        checked = body.check(ENDPOINTS[endpoint], sent)
        if checked.get("stream"):
            raise ValueNotAllowed("A batch has no streams.", param="stream", hint="Leave stream out.")
        return checked

    def for_target(self, endpoint: str, checked: Mapping[str, Any], target: Target) -> bytes:
        """The body that this target gets; it says that it can wait. Raises EndangersEngine, FieldNotAllowed."""
        sent = {**checked, "priority": CAN_WAIT} if target.takes_priority else checked
        return body.for_target(ENDPOINTS[endpoint], sent, target)

    def refusal(self, error: Exception) -> Refusal:
        """As the gateway would answer it."""
        told = error if isinstance(error, GoldsmithError) else Invalid(str(error))
        status = status_of(told)
        return Refusal(status, error_object(told, status), f"{told.message} {told.hint}")
