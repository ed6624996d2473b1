"""The forms of the page of settings."""

from typing import Annotated, Any

from pydantic import Field, field_validator

from goldsmith.errors import GoldsmithError
from goldsmith.people.service import MAX_LIMIT
from goldsmith.people.types import Limits
from goldsmith.serve import outside
from goldsmith.serve.types import MAX_COPIES, MAX_PLACES
from goldsmith.web.engine_keys import EngineKey
from goldsmith.web.forms import FormModel, Option
from goldsmith.web.looks import Theme

_PASSWORD: dict[str, Any] = {"kind": "password"}
_CHOICES: dict[str, Any] = {"kind": "choices"}
Address = Annotated[str, Field(min_length=1, max_length=1024, title="Address")]
Key = Annotated[EngineKey | None, Field(title="Key", json_schema_extra=_PASSWORD)]
Limit = Annotated[int | None, Field(ge=1, le=MAX_LIMIT)]
Price = Annotated[float | None, Field(ge=0, le=1e6)]
THEMES = (
    Option(Theme.SYSTEM.value, "As this device says", "Dark at night, if the device does that."),
    Option(Theme.LIGHT.value, "Light"),
    Option(Theme.DARK.value, "Dark"),
)


class _AtAddress(FormModel):
    @field_validator("url", check_fields=False)
    @classmethod
    def _is_address(cls, text: str) -> str:
        try:
            return outside.checked_url(text)
        except GoldsmithError as error:
            raise ValueError(f"{error.message} {error.hint}") from None


class ProviderForm(_AtAddress):
    """An outside service that speaks OpenAI's API."""

    url: Address
    """Where its API answers, such as https://api.openai.com/v1. Rows of your runs are sent there."""
    model: Annotated[str, Field(min_length=1, max_length=255, title="Name of the model there")]
    key: Key = None
    """Kept in a file on this machine that only its owner can read. It is never shown again."""
    name: Annotated[str, Field(max_length=255, title="Name here")] = ""
    input_usd_per_million: Annotated[Price, Field(title="Price of a million tokens of questions, in USD")] = None
    output_usd_per_million: Annotated[Price, Field(title="Price of a million tokens of answers, in USD")] = None
    """With both prices a run says what it costs. A token is about three quarters of a word."""


class AttachForm(_AtAddress):
    """Somebody's running vLLM."""

    url: Address
    """Where it answers, such as http://127.0.0.1:8000."""
    base_model: Annotated[str, Field(min_length=1, max_length=255, title="The base model that it serves")]
    name_in_engine: Annotated[str, Field(max_length=255, title="What it calls that model")] = ""
    """Empty: whatever it lists."""
    key: Key = None
    """If it was started with one. Kept in a file that only its owner can read."""


class CopiesForm(FormModel):
    """How many engines answer for one base model."""

    num_copies: Annotated[int, Field(ge=1, le=MAX_COPIES, title="Engines with this base model")]
    """Each starts where there is room: on this machine, memory for one more, or a GPU of its own."""


class PlacesForm(FormModel):
    """How many adapters an engine holds ready at once."""

    num_places: Annotated[int, Field(ge=1, le=MAX_PLACES, title="Places for fine-tuned models")]
    """Others are swapped in when somebody asks for them. More than now: the engine starts again, about a minute."""


class LimitsForm(FormModel):
    """How much a key may ask of the models."""

    requests_per_minute: Annotated[Limit, Field(title="Requests a minute")] = None
    """Empty: as many as it likes."""
    tokens_per_minute: Annotated[Limit, Field(title="Tokens a minute")] = None
    """Of questions and answers together. A token is about three quarters of a word."""
    parallel_requests: Annotated[Limit, Field(title="Requests at the same time")] = None

    def limits(self) -> Limits:
        """As services take them."""
        return Limits(self.requests_per_minute, self.tokens_per_minute, self.parallel_requests)


class KeyForm(LimitsForm):
    """A key for a program."""

    label: Annotated[str, Field(min_length=1, max_length=100, title="What it is for")]
    """Such as “invoices, on the server in the cellar”. With the key a program acts for you."""


class LookForm(FormModel):
    """How pages are in this browser."""

    theme: Annotated[Theme, Field(title="Light or dark", json_schema_extra=_CHOICES)] = Theme.SYSTEM
    single_keys: Annotated[bool, Field(title="Single keys do something, such as s for a star")] = True
    """Off: nothing happens when a letter is pressed by mistake or by a voice program."""
