"""The form of a new webhook."""

from typing import Annotated

from pydantic import Field

from goldsmith.web.forms import FormModel
from goldsmith.webhooks.addresses import MAX_CHARACTERS
from goldsmith.webhooks.types import EventType


class WebhookForm(FormModel):
    """Where to tell, and what."""

    url: Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS, title="Address")]
    """Where the other program listens, such as https://example.com/goldsmith. Public hosts over https; a host of your
    own network has to be named in GOLDSMITH_WEBHOOK_HOSTS first."""
    succeeded: Annotated[bool, Field(title="A job has succeeded: a training, a run, a comparison, an import")] = True
    failed: Annotated[bool, Field(title="A job has failed")] = True
    cancelled: Annotated[bool, Field(title="A job was cancelled")] = False
    default: Annotated[bool, Field(title="Another model became the default")] = True

    @property
    def events(self) -> list[str]:
        """What was chosen."""
        chosen = {
            EventType.JOB_SUCCEEDED: self.succeeded,
            EventType.JOB_FAILED: self.failed,
            EventType.JOB_CANCELLED: self.cancelled,
            EventType.DEFAULT_CHANGED: self.default,
        }
        return [name.value for name, is_chosen in chosen.items() if is_chosen]
