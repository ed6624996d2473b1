"""What is typed on the pages of aliases: a new name, and the shares of models. Fields of models are known only then."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field

from goldsmith.serve.errors import SharesNotUsable
from goldsmith.serve.queries import ActiveModel
from goldsmith.serve.types import Part, Proof
from goldsmith.serve.watching import Limits, RolloutPlan
from goldsmith.web.errors import FormNotUsable
from goldsmith.web.forms import FormField, FormModel, Option

SHARE = "share."
MAX_WHY_CHARACTERS = 1000


class AliasForm(FormModel):
    """A new alias."""

    name: str = Field(min_length=1, max_length=64, title="The name that callers use")
    """Small letters, digits, dots, dashes and underscores, such as support or support-beta."""
    model: str = Field(min_length=1, max_length=64, title="The model that answers at first")
    """Only models that are on an engine and proved can be chosen. Others join later, with a share."""


class RolloutForm(FormModel):
    """A new model that shall get a growing share."""

    model: str = Field(min_length=1, max_length=64, title="The new model")
    steps: str = Field("5, 25, 100", max_length=200, title="Its percent, step by step")
    """Each more than the one before. Nothing is lost at a step, and nobody who has the new model is moved back."""
    hold_minutes: float | None = Field(None, gt=0, le=43200, title="Minutes at each step")
    """Then it goes on by itself, when enough requests came. Left empty, you go on by a click."""
    min_requests: int = Field(50, ge=1, le=1_000_000, title="Requests before anything is concluded")
    """Of the old model and of the new one, each."""

    @property
    def plan(self) -> RolloutPlan:
        """As the service takes it. Raises SharesNotUsable."""
        stages = tuple(_share(word.strip()) for word in self.steps.replace(";", ",").split(",") if word.strip())
        hold_s = None if self.hold_minutes is None else 60 * self.hold_minutes
        return RolloutPlan(stages, hold_s, Limits(min_requests=self.min_requests))


@dataclass(frozen=True)
class SharesForm:
    """What each model shall get."""

    parts: tuple[Part, ...]
    why: str
    force: tuple[str, ...]


async def _read(request: Request) -> SharesForm:
    async with request.form(max_fields=500) as form:
        posted = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    shares = {name.removeprefix(SHARE): text for name, text in posted.items() if name.startswith(SHARE)}
    parts = tuple(Part(model_id, share) for model_id, text in shares.items() if (share := _share(text)) != 0)
    why = posted.get("why", "")
    if len(why) > MAX_WHY_CHARACTERS:
        raise FormNotUsable(f"The reason has more than {MAX_WHY_CHARACTERS:,} characters.")
    force = tuple(name for name in (each.strip() for each in posted.get("force", "").split(",")) if name)
    return SharesForm(parts, why, force)


TheShares = Annotated[SharesForm, Depends(_read)]


def _share(text: str) -> float:
    try:
        return float(text.replace(",", ".").removesuffix("%") or 0) / 100
    except ValueError as error:
        raise SharesNotUsable(f"{text[:50]!r} is no percentage.") from error


def share_fields(found: Sequence[ActiveModel], parts: Sequence[Part]) -> tuple[FormField, ...]:
    """A field of percent for every model that can get requests."""
    shares = {part.model_id: part.share for part in parts}
    attrs = (("min", "0"), ("max", "100"), ("step", "any"), ("inputmode", "decimal"))
    return tuple(
        FormField(
            name=f"{SHARE}{item.deployment.model_id}",
            label=item.name,
            kind="number",
            help=_stands(item),
            value=f"{100 * shares.get(item.deployment.model_id, 0.0):.6g}",
            is_required=False,
            attrs=attrs,
        )
        for item in sorted(found, key=lambda item: (-shares.get(item.deployment.model_id, 0.0), item.name))
    )


def more_fields(found: Sequence[ActiveModel]) -> tuple[FormField, ...]:
    """Why, and what is taken by force."""
    why = FormField("why", "Why", help="Stands in the history.", is_required=False, attrs=(("maxlength", "1000"),))
    if all(Proof(item.deployment.proof).allows_default for item in found):
        return (why,)
    about = "Names of models, separated by commas. That they were taken without proof is written down."
    return why, FormField("force", "Take these though nothing proved them", help=about, is_required=False)


def model_options(found: Sequence[ActiveModel]) -> tuple[Option, ...]:
    """The models that an alias may lead to."""
    return tuple(
        Option(item.deployment.model_id, item.name, is_possible=Proof(item.deployment.proof).allows_default)
        for item in found
    )


def _stands(item: ActiveModel) -> str:
    words = {
        Proof.PROVED: "Proved",
        Proof.NOT_NEEDED: "A base model",
        Proof.PROVING: "Being proved",
        Proof.REFUSED: "Refused: its receipt is red",
        Proof.UNPROVED: "Not proved yet",
    }
    live = "answers now" if item.is_live else "does not answer at the moment; the others get its requests"
    return f"Percent. {words[Proof(item.deployment.proof)]}, {live}."
