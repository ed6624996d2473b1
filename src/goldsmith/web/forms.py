"""Model → form, form → model: a frozen Pydantic model gives the fields with their help and limits, and reads the post.

    StartForm = Annotated[Filled[StartTraining], Depends(form_of(StartTraining))]

The docstring under a model's field is its help text. `parts/form.html` shows the fields. A value that cannot be used
comes back with what was typed and with the reason at its field.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

import annotated_types
from fastapi import Request
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from goldsmith.web.errors import FormNotUsable

M = TypeVar("M", bound=BaseModel)
MAX_TEXT_BYTES = 16 * 1024 * 1024
Kind = Literal["text", "textarea", "number", "select", "checkbox", "choices", "hidden", "password"]
_LIMITS = {annotated_types.Ge: "min", annotated_types.Gt: "min", annotated_types.Le: "max", annotated_types.Lt: "max"}


class FormModel(BaseModel):
    """The base of models that are filled in on a page."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, str_strip_whitespace=True)


@dataclass(frozen=True)
class Option:
    """One of several values; `help` says what it means or costs, `is_possible` whether it can be chosen now."""

    value: str
    label: str
    help: str = ""
    is_possible: bool = True


@dataclass(frozen=True)
class FormField:
    """A field as it is shown."""

    name: str
    label: str
    kind: Kind = "text"
    help: str = ""
    value: str = ""
    error: str = ""
    is_required: bool = True
    options: tuple[Option, ...] = ()
    attrs: tuple[tuple[str, str], ...] = ()
    """HTML attributes such as min, max, step, placeholder."""
    is_locked: bool = False


@dataclass(frozen=True)
class Filled(Generic[M]):
    """A form that was sent: its value when all of it can be used, and its fields as they were typed."""

    value: M | None
    fields: tuple[FormField, ...]

    @property
    def is_usable(self) -> bool:
        """Whether every value can be used."""
        return self.value is not None

    def posted(self, name: str) -> str:
        """What was typed into one field, also when the form as a whole cannot be used."""
        return next((field.value for field in self.fields if field.name == name), "")

    @property
    def usable(self) -> M:
        """The value. Raises FormNotUsable, which names every field that is wrong."""
        if self.value is None:
            wrong = "; ".join(f"{field.label}: {field.error}" for field in self.fields if field.error)
            raise FormNotUsable(wrong or "The form has values that no field is for.")
        return self.value


def fields_of(
    model: type[BaseModel],
    values: Mapping[str, Any] | BaseModel | None = None,
    *,
    errors: Mapping[str, str] | None = None,
    options: Mapping[str, Sequence[Option]] | None = None,
) -> tuple[FormField, ...]:
    """The fields of a model, filled with values or with its defaults. `options` are choices known only now."""
    given = values.model_dump() if isinstance(values, BaseModel) else dict(values or {})
    made = []
    for name, info in model.model_fields.items():
        if get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1:
            continue
        field = _field(name, info, _text(given[name]) if name in given else _default(info))
        if options and name in options:
            field = replace(field, kind=field.kind if field.kind == "choices" else "select", options=(*options[name],))
        made.append(replace(field, error=(errors or {}).get(name, "")))
    return tuple(made)


def form_of(model: type[M]) -> Callable[[Request], Awaitable[Filled[M]]]:
    """A dependency that reads a posted form into `model`."""

    async def read(request: Request) -> Filled[M]:
        async with request.form(max_part_size=MAX_TEXT_BYTES) as form:
            posted = {name: value for name, value in form.items() if isinstance(value, str)}
        return fill(model, posted)

    return read


def fill(model: type[M], posted: Mapping[str, str]) -> Filled[M]:
    """What was posted as a model, or the fields with their errors. Empty fields that may be empty take the default."""
    values: dict[str, Any] = {
        name: text for name, text in posted.items() if text.strip() or not _may_be_left_out(model, name)
    }
    for name, info in model.model_fields.items():
        if _bare(info.annotation) is bool:
            values[name] = "true" if name in posted and posted[name] != "false" else "false"
        elif get_origin(_bare(info.annotation)) is Literal and name in values:
            # A choice among numbers was sent as text, like everything in a form.
            by_text = {str(value): value for value in get_args(_bare(info.annotation))}
            values[name] = by_text.get(values[name], values[name])
    try:
        value = model.model_validate(values)
    except ValidationError as error:
        reasons = {str(each["loc"][0]) if each["loc"] else "": _sentence(each) for each in error.errors()}
        return Filled(None, fields_of(model, posted, errors=reasons))
    return Filled(value, fields_of(model, posted))


def _field(name: str, info: FieldInfo, value: str) -> FormField:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    label = info.title or name.replace("_", " ").capitalize()
    guessed, options = _kind(info)
    kind = extra.get("kind", guessed)
    return FormField(
        name=name,
        label=label,
        kind=kind,  # type: ignore[arg-type]  # written beside the field, checked by the template
        help=info.description or "",
        value="" if kind == "password" else value,  # a secret is never sent back to a page
        is_required=info.is_required(),
        options=options,
        attrs=_attrs(info),
    )


def _kind(info: FieldInfo) -> tuple[Kind, tuple[Option, ...]]:
    bare = _bare(info.annotation)
    if bare is bool:
        return "checkbox", ()
    if bare is SecretStr:
        return "password", ()
    if bare in (int, float):
        return "number", ()
    if get_origin(bare) is Literal:
        return "select", tuple(Option(str(value), str(value).replace("_", " ")) for value in get_args(bare))
    if isinstance(bare, type) and issubclass(bare, StrEnum):
        return "select", tuple(Option(each.value, each.value.replace("_", " ")) for each in bare)
    return "text", ()


def _attrs(info: FieldInfo) -> tuple[tuple[str, str], ...]:
    attrs: dict[str, str] = {}
    for rule in info.metadata:
        for kind, attribute in _LIMITS.items():
            if isinstance(rule, kind):
                attrs[attribute] = str(getattr(rule, kind.__name__.lower()))
        if isinstance(rule, annotated_types.MaxLen):
            attrs["maxlength"] = str(rule.max_length)
    if _bare(info.annotation) is float:
        attrs["step"] = "any"
    return tuple(attrs.items())


def _bare(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        kinds = [each for each in get_args(annotation) if each is not NoneType]
        return kinds[0] if len(kinds) == 1 else str
    return annotation


def _default(info: FieldInfo) -> str:
    return "" if info.default is PydanticUndefined else _text(info.default)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.value if isinstance(value, StrEnum) else str(value)


def _may_be_left_out(model: type[BaseModel], name: str) -> bool:
    info = model.model_fields.get(name)
    return info is not None and not info.is_required()


def _sentence(error: Any) -> str:
    if error["type"] in ("missing", "string_too_short"):
        return "This is needed."
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[0].upper() + message[1:] + ("" if message.endswith(".") else ".")
