"""The form that brings stars in from Aristotle."""

from typing import Annotated

from pydantic import Field

from goldsmith.connect.syncing.types import MAX_EVERY_MINUTES, MIN_EVERY_MINUTES
from goldsmith.connect.types import MAX_LIMIT, Scope, Wish
from goldsmith.stars.types import ExportRequest, SetFormat
from goldsmith.web.forms import FormModel


class EveryForm(FormModel):
    """How often stars come in by themselves."""

    every_minutes: Annotated[
        int | None, Field(ge=MIN_EVERY_MINUTES, le=MAX_EVERY_MINUTES, title="Bring them in every … minutes")
    ] = None
    """Empty: only when somebody asks. 60 is once an hour, 1440 once a day."""


class BringForm(FormModel):
    """Whose stars, and what was said to the model beside the prompt."""

    philosopher: Annotated[str, Field(min_length=1, max_length=255, title="Philosopher")]
    """The person, by e-mail, exactly as Aristotle has it."""
    domain: Annotated[str, Field(min_length=1, max_length=255, title="Domain")]
    """Their organisation, such as acme.example."""
    knows_system: Annotated[bool, Field(title="I say below what the conquests were run with")] = False
    """Needed once, where Aristotle has not kept the system message. Goldsmith remembers it."""
    system_message: Annotated[
        str, Field(max_length=60_000, title="System message", json_schema_extra={"kind": "textarea"})
    ] = ""
    """The very text that production sends; empty where it sends none. Another one makes the model worse."""
    conquest_type: Annotated[str, Field(max_length=64, title="Only this type")] = ""
    """Such as CANDIDATE; empty for all."""
    limit: Annotated[int | None, Field(ge=1, le=MAX_LIMIT, title="At most so many")] = None
    """The newest first; empty for all."""
    format: Annotated[SetFormat, Field(title="Format")] = SetFormat.chatml
    """How a line of the training set is written."""

    @property
    def wish(self) -> Wish:
        """As the source takes it."""
        said = self.system_message if self.knows_system or self.system_message else None
        scope = Scope(self.philosopher, self.domain)
        return Wish(scope, self.conquest_type or None, self.limit, system_text=said)

    @property
    def request(self) -> ExportRequest:
        """As the export takes it."""
        return ExportRequest(format=self.format)
