"""The form of a connection: what every one has, and what its kind asks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field

from goldsmith.connect.sources.types import SourceKind
from goldsmith.connect.syncing.types import (
    MAX_EVERY_MINUTES,
    MIN_EVERY_MINUTES,
    ConnectionChange,
    ConnectionDraft,
)
from goldsmith.web.errors import FormNotUsable
from goldsmith.web.forms import FormField, FormModel, Option, fields_of, fill

OFTEN = (("", "only when I ask"), ("15", "every 15 minutes"), ("60", "every hour"), ("1440", "every day"))


class ConnectionForm(FormModel):
    """What every connection has."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    """Also the name of the dataset that its rows come into."""
    question_column: Annotated[str | None, Field(max_length=255, title="Column that asks")] = None
    """Only needed where the rows have good answers, and the column is not simply called question."""
    answer_column: Annotated[str | None, Field(max_length=255, title="Column with good answers")] = None
    """Answers that people have written or checked. They become gold stars at once; left empty, none does."""
    every_minutes: Annotated[int | None, Field(ge=MIN_EVERY_MINUTES, le=MAX_EVERY_MINUTES, title="Read it again")] = (
        None
    )
    """Only what is new or has changed comes in."""


@dataclass(frozen=True)
class ConnectionFields:
    """The form as it is shown, and what it says once all of it can be used."""

    own: tuple[FormField, ...]
    """What the kind asks for."""
    shared: tuple[FormField, ...]
    form: ConnectionForm | None = None
    options: Mapping[str, Any] | None = None

    @property
    def is_usable(self) -> bool:
        """Whether every value can be used."""
        return self.form is not None and self.options is not None

    def draft(self, kind: str) -> ConnectionDraft:
        """A new connection."""
        return ConnectionDraft(kind=kind, options=self.options or {}, **self._said)

    @property
    def change(self) -> ConnectionChange:
        """A connection that shall be otherwise."""
        return ConnectionChange(options=self.options or {}, **self._said)

    @property
    def _said(self) -> dict[str, Any]:
        if self.form is None:
            raise FormNotUsable("The form has values that cannot be used.")
        return self.form.model_dump()


def empty(kind: SourceKind) -> ConnectionFields:
    """As nobody has filled it in yet."""
    return kept(kind, {}, {})


def kept(kind: SourceKind, options: Mapping[str, Any], shared: Mapping[str, Any]) -> ConnectionFields:
    """As it was kept; secrets are never among it."""
    return ConnectionFields(fields_of(kind.Options, options), _as_shown(kind, fields_of(ConnectionForm, shared)))


def sent(kind: SourceKind, posted: Mapping[str, str], sealed: Mapping[str, str] | None = None) -> ConnectionFields:
    """As it was sent. Of a connection that is there, `sealed` has what need not be typed again."""
    typed = {name: text for name, text in posted.items() if name in kind.Options.model_fields and text}
    own = fill(kind.Options, {**(sealed or {}), **typed})
    shared = fill(ConnectionForm, {name: posted[name] for name in ConnectionForm.model_fields if name in posted})
    secrets = set(kind.Options.secret_names())
    options = None
    if own.value is not None:
        plain = own.value.model_dump(mode="json", exclude=secrets)
        options = {**plain, **{name: text for name, text in typed.items() if name in secrets}}
    return ConnectionFields(own.fields, _as_shown(kind, shared.fields), shared.value, options)


def _as_shown(kind: SourceKind, fields: Sequence[FormField]) -> tuple[FormField, ...]:
    """With usual times to choose from; where the kind itself knows the column with good answers, nobody is asked."""
    asked = [field for field in fields if field.name != "answer_column" or kind.Options.good_answers() is None]
    return tuple(_choices(field) if field.name == "every_minutes" else field for field in asked)


def _choices(field: FormField) -> FormField:
    """Usual times, and the one that was chosen elsewhere."""
    usual = [Option(value, label) for value, label in OFTEN]
    is_usual = field.value in dict(OFTEN)
    others = [] if is_usual else [Option(field.value, f"every {field.value} minutes")]
    return replace(field, kind="select", options=(*usual, *others))
