"""Which model a request of a batch means: an id, a unique name, a hub id, an alias, a provider. None: the default."""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from goldsmith.errors import Invalid, NotFound
from goldsmith.models import queries as models
from goldsmith.models.errors import ModelNotFound
from goldsmith.models.tables import BaseModel
from goldsmith.serve import queries as serve
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import DEFAULT_ALIAS, EngineKind
from goldsmith.storage.ids import Prefix


class Names:
    """What names mean to one organisation while a file is checked; each is looked up once."""

    def __init__(self, domain: str) -> None:
        self._domain = domain
        self._parts: dict[str, list[tuple[str, float]] | str] = {}
        self._groups: dict[str, str] = {}

    def find(self, session: Session, name: str | None, custom_id: str) -> tuple[str | None, str]:
        """The model's id, or None and why there is none. Of an alias's parts a request always gets the same."""
        called = name or DEFAULT_ALIAS
        if called not in self._parts:
            self._parts[called] = self._look_up(session, called, is_named=bool(name))
        parts = self._parts[called]
        if isinstance(parts, str):
            return None, parts
        return _picked(parts, custom_id), ""

    def in_order(self, session: Session, model_ids: Sequence[str]) -> list[str]:
        """The models in the order in which they are asked: what shares an engine stands together."""
        groups: dict[str, list[str]] = {}
        for model_id in model_ids:
            groups.setdefault(self._group(session, model_id), []).append(model_id)
        return [model_id for group in groups.values() for model_id in group]

    def _look_up(self, session: Session, name: str, *, is_named: bool) -> list[tuple[str, float]] | str:
        alias = serve.alias(session, domain=self._domain, name=name)
        if alias is not None and alias.targets:
            return [(str(part["model_id"]), float(part["share"])) for part in alias.targets]
        if not is_named:
            return "The request names no model, and none is the default. Make one: goldsmith models switch MODEL"
        if name == DEFAULT_ALIAS:
            return "No model is the default yet. Make one: goldsmith models switch MODEL"
        provider = _provider(session, name, self._domain)
        if provider is not None:
            return [(provider.id, 1.0)]
        try:
            return [(models.any_model(session, name, domain=self._domain).id, 1.0)]
        except (NotFound, Invalid) as error:
            return error.message if not isinstance(error, ModelNotFound) else f"The model {name!r} does not exist here."

    def _group(self, session: Session, model_id: str) -> str:
        """What has to be live for a model: its base; a provider stands for itself."""
        if model_id.startswith(f"{Prefix.ENGINE.value}_"):
            return model_id
        model = models.any_model(session, model_id, domain=self._domain)
        return model.id if isinstance(model, BaseModel) else model.base_model_id


def is_provider(model_id: str) -> bool:
    """Whether a batch's model is an outside provider's."""
    return model_id.startswith(f"{Prefix.ENGINE.value}_")


def _provider(session: Session, name: str, domain: str) -> Engine | None:
    engines = [
        engine
        for engine in serve.page(session, domain=domain)
        if engine.kind == EngineKind.PROVIDER.value and engine.is_wanted
    ]
    named = [engine for engine in engines if name == engine.id]
    named = named or [engine for engine in engines if name in (engine.name, engine.provider_model)]
    return named[0] if len(named) == 1 else None


def _picked(parts: Sequence[tuple[str, Any]], custom_id: str) -> str:
    digest = hashlib.blake2b(custom_id.encode(), digest_size=8).digest()
    left = int.from_bytes(digest) / 2**64 * sum(share for _, share in parts)
    for model_id, share in parts:
        left -= share
        if left < 0:
            return model_id
    return parts[-1][0]
