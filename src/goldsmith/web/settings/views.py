"""What the page of settings shows, made from rows and values. Knows no request and asks no database."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar

from goldsmith.environments.types import Environment, EnvironmentName, EnvironmentStatus
from goldsmith.people.service import limits_of
from goldsmith.people.tables import Key
from goldsmith.people.types import Limits, Person
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import EngineKind
from goldsmith.settings import Settings
from goldsmith.web import format as formats
from goldsmith.web.forms import FormField, fields_of
from goldsmith.web.needs import Need
from goldsmith.web.pages import Page
from goldsmith.web.resting import Rest
from goldsmith.web.settings.forms import CopiesForm, LimitsForm, PlacesForm

_NAMES = {
    EnvironmentName.TRL: ("Trainer", "trains models, and converts them"),
    EnvironmentName.UNSLOTH: ("Trainer Unsloth", "trains models with less memory, made for one NVIDIA GPU"),
    EnvironmentName.AXOLOTL: ("Trainer Axolotl", "trains models, from a recipe that Axolotl's own command reads too"),
    EnvironmentName.GGUF: ("Converter to GGUF", "takes models out for llama.cpp and Ollama; needs the trainer, too"),
    EnvironmentName.VLLM: ("Engine for an NVIDIA GPU", "lets models answer"),
    EnvironmentName.VLLM_CPU: ("Engine for a machine without GPU", "lets models answer"),
}
_WHY_NOT = {
    EnvironmentName.TRL: "",
    EnvironmentName.UNSLOTH: "",
    EnvironmentName.AXOLOTL: "",
    EnvironmentName.GGUF: "",
    EnvironmentName.VLLM: "Not for this machine: it needs an NVIDIA GPU.",
    EnvironmentName.VLLM_CPU: "Not needed here: this machine has an NVIDIA GPU.",
}
_PASSWORD = re.compile(r"//[^@/]*@")


@dataclass(frozen=True)
class EngineLine:
    """Who answers."""

    id: str
    name: str
    badge: str
    about: str
    message: str
    is_ours: bool
    is_running: bool
    copy_fields: tuple[FormField, ...] = ()
    """Empty for what has no copies."""
    place_fields: tuple[FormField, ...] = ()
    """Empty for what is not ours, and for copies."""
    address: str = ""
    """Of the work that an engine at rest gives its memory to."""


@dataclass(frozen=True)
class KeyLine:
    """A key, without its secret."""

    id: str
    label: str
    who: str
    made_at: datetime
    revoked_at: datetime | None
    limits: str
    """In words."""
    limit_fields: tuple[FormField, ...]


@dataclass(frozen=True)
class EnvironmentLine:
    """An environment as it is on disk; `need` says how to get it."""

    name: str
    title: str
    badge: str
    about: str
    can_remove: bool
    need: Need | None


@dataclass(frozen=True)
class SettingLine:
    """A setting with its value."""

    name: str
    value: str
    help: str
    is_set: bool


@dataclass(frozen=True)
class SettingsPage(Page):
    """Everything that can be set, and what is set."""

    template: ClassVar[str] = "settings/settings.html"
    current: ClassVar[str] = "settings"
    engines: tuple[EngineLine, ...]
    provider_fields: tuple[FormField, ...]
    attach_fields: tuple[FormField, ...]
    has_bases: bool
    keys: tuple[KeyLine, ...]
    key_fields: tuple[FormField, ...]
    environments: tuple[EnvironmentLine, ...]
    look_fields: tuple[FormField, ...]
    settings: tuple[SettingLine, ...]


@dataclass(frozen=True)
class NewKeyPage(Page):
    """A new key, this once."""

    template: ClassVar[str] = "settings/new_key.html"
    current: ClassVar[str] = "settings"
    label: str
    secret: str
    address: str


def engine_line(row: Engine, rest: Rest | None = None) -> EngineLine:
    """An engine, and what it costs."""
    places = {
        EngineKind.OURS.value: "on this machine, started by Goldsmith"
        + (f", GPU {row.gpu}" if row.gpu is not None else ""),
        EngineKind.ATTACHED.value: f"attached at {row.url}"
        + (", shares the work of another with the same base model" if row.copy_of is not None else ""),
        EngineKind.PROVIDER.value: f"outside, at {row.url}; {_price(row)}",
    }
    is_ours = row.kind == EngineKind.OURS.value
    is_running = row.is_wanted and row.state in ("starting", "ready")
    is_untested = row.kind == EngineKind.PROVIDER.value and not row.message
    badge = "not_tested" if is_untested else "resting" if rest is not None else row.state
    has_own = is_ours and row.copy_of is None
    return EngineLine(
        id=row.id,
        name=row.name,
        badge=badge,
        about=places[row.kind],
        message=rest.sentence if rest is not None else row.message,
        address=rest.address if rest is not None else "",
        is_ours=is_ours,
        is_running=is_running,
        copy_fields=fields_of(CopiesForm, {"num_copies": row.num_copies}) if has_own else (),
        place_fields=fields_of(PlacesForm, {"num_places": row.num_places or row.max_loras}) if has_own else (),
    )


def key_line(key: Key, person: Person) -> KeyLine:
    """A key, and for whom it stands."""
    limits = limits_of(key)
    fields = fields_of(LimitsForm, {name: value for name, value in asdict(limits).items() if value is not None})
    return KeyLine(key.id, key.label, person.name, key.created_at, key.revoked_at, limits_in_words(limits), fields)


def limits_in_words(limits: Limits) -> str:
    """How much a key may ask."""
    told = (
        (limits.requests_per_minute, "requests a minute"),
        (limits.tokens_per_minute, "tokens a minute"),
        (limits.parallel_requests, "at the same time"),
    )
    return ", ".join(f"{value:,} {what}" for value, what in told if value is not None)


def environment_line(found: Environment, need: Need | None, *, fits: bool) -> EnvironmentLine:
    """An environment; one that does not fit the machine offers nothing but its removal."""
    title, does = _NAMES[found.name]
    is_there = found.status is not EnvironmentStatus.MISSING
    if found.is_installed:
        about = f"It {does}. {formats.size(found.size_bytes)} on disk, Python {found.python_version}."
    elif not fits:
        about = _WHY_NOT[found.name]
    else:
        about = f"It {does}. {need.cost if need else ''}"
    badge = "installed" if found.is_installed and found.status is EnvironmentStatus.INSTALLED else found.status.value
    return EnvironmentLine(found.name.value, title, badge, about, is_there, need if fits else None)


def _is_set(settings: Settings, name: str) -> bool:
    """Whether it is other than it comes. `goldsmith up` hands every setting on, so being there says nothing."""
    as_it_comes = Settings.model_construct(home=settings.home)
    resolved = {"home": "root", "database_url": "database"}.get(name)
    if resolved is None:
        return bool(getattr(settings, name) != getattr(as_it_comes, name))
    if name == "home":
        as_it_comes = Settings.model_construct()
    return bool(getattr(settings, resolved) != getattr(as_it_comes, resolved))


def setting_lines(settings: Settings) -> tuple[SettingLine, ...]:
    """Every setting; passwords in addresses are not shown."""
    return tuple(
        SettingLine(
            name=f"GOLDSMITH_{name.upper()}",
            value=shown_value(getattr(settings, name)),
            help=(info.description or "").replace("`", ""),
            is_set=_is_set(settings, name),
        )
        for name, info in type(settings).model_fields.items()
    )


def shown_value(value: object) -> str:
    """A value in words."""
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(each) for each in value)
    return _PASSWORD.sub("//***@", str(value))


def _price(row: Engine) -> str:
    asked, answered = row.input_usd_per_million, row.output_usd_per_million
    if asked is None and answered is None:
        return "no price given"
    return f"a million tokens: {formats.money(asked)} for questions, {formats.money(answered)} for answers"
