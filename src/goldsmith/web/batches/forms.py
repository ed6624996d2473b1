"""The form that starts a batch, filled on the look at its file."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from goldsmith.run.batches.types import NewBatch
from goldsmith.web.forms import FormModel

SHA256 = "^[0-9a-f]{64}$"


class Window(StrEnum):
    """How long a batch may take."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


class BatchForm(FormModel):
    """A batch that is to be started."""

    upload: Annotated[str, Field(pattern=SHA256, json_schema_extra={"kind": "hidden"})]
    filename: Annotated[str, Field(min_length=1, max_length=255, json_schema_extra={"kind": "hidden"})]
    endpoint: Annotated[str, Field(max_length=64, json_schema_extra={"kind": "hidden"})]
    window: Annotated[Window, Field(title="It may take")]
    """When this time is over, what is answered by then is kept, and the rest is listed in the file of what failed."""

    def to_new(self, file_id: str) -> NewBatch:
        """As the step takes it."""
        return NewBatch(file_id, self.filename, self.upload, self.endpoint, self.window.value)
