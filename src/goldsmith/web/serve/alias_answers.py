"""The bodies and answers of the API over aliases."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import orm

from goldsmith.serve import history, queries
from goldsmith.serve.tables import Alias
from goldsmith.serve.types import Part, Proof, parts_of
from goldsmith.web.answers import ApiAnswer, ApiBody, Name, Text

MAX_PARTS = 10


class PartBody(ApiBody):
    """A model and its share of the requests."""

    model_id: Name
    """The id or the name of a model that is deployed."""
    share: Annotated[float, Field(gt=0, le=1)]
    """From 0 to 1; all shares add up to 1."""


class AliasBody(ApiBody):
    """What an alias shall lead to."""

    targets: Annotated[list[PartBody], Field(min_length=1, max_length=MAX_PARTS)]
    why: Annotated[Text, Field(max_length=1000)] = ""
    """Written down with the change."""
    force: Annotated[tuple[Name, ...], Field(max_length=MAX_PARTS)] = ()
    """Models that are taken though nothing proved them, each by its id or name; written down with the change."""

    @property
    def parts(self) -> list[Part]:
        """As the service takes them."""
        return [Part(each.model_id, each.share) for each in self.targets]


class PartAnswer(ApiAnswer):
    """A model behind an alias."""

    model_id: str
    name: str
    share: float
    proof: Proof | None
    """Null when it is on no engine any more."""
    is_live: bool
    """Whether it answers now; while it does not, the other models get its requests."""


class AliasAnswer(ApiAnswer):
    """A stable name that callers use as a model's name."""

    name: str
    targets: list[PartAnswer]
    version: int
    """The `seq` of its last change in the history."""
    changed_by: str
    changed_at: datetime
    can_undo: bool
    """Whether there is something to go back to."""


class AliasesAnswer(ApiAnswer):
    """Every alias, by name."""

    aliases: list[AliasAnswer]


def alias_answer(session: orm.Session, alias: Alias) -> AliasAnswer:
    """An alias with what its models are doing."""
    names = queries.model_names(session)
    live = {item.deployment.model_id: item for item in queries.active(session, domain=alias.domain)}
    parts = []
    for part in parts_of(alias.targets):
        item = live.get(part.model_id)
        parts.append(
            PartAnswer(
                model_id=part.model_id,
                name=names.get(part.model_id, part.model_id),
                share=part.share,
                proof=Proof(item.deployment.proof) if item is not None else None,
                is_live=item is not None and item.is_live and item.deployment.is_wanted,
            )
        )
    return AliasAnswer(
        name=alias.name,
        targets=parts,
        version=alias.version,
        changed_by=alias.changed_by,
        changed_at=alias.changed_at,
        can_undo=history.before(session, alias.name, domain=alias.domain) is not None,
    )
