"""Which engine gets a request: a name → one of its parts. Pure; also what the list of models says."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from goldsmith.gateway import sticky
from goldsmith.gateway.errors import EngineNotReady, ModelNotOffered, NoDefaultModel
from goldsmith.serve.kept.types import Rules
from goldsmith.serve.shadow.types import Shadows
from goldsmith.serve.types import DEFAULT_ALIAS, RESERVED_NAMES, Route, RouteTable, Share

MAX_LISTED = 40
MAX_SHOWN_CHARACTERS = 100
_KINDS = {"base": "base model", "fine_tuned": "fine-tuned model", "provider": "outside provider's model"}
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Load:
    """How many requests each engine has in work, and which were found to be away."""

    busy: Mapping[str, int] = field(default_factory=dict)
    away: Container[str] = ()


NO_LOAD = Load()


@dataclass(frozen=True)
class Tables:
    """Everything that the gateway keeps in memory: where names lead, by organisation, and the engines' keys."""

    by_domain: Mapping[str, RouteTable]
    engine_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    keeping: Mapping[str, Rules] = field(default_factory=dict)
    """By organisation: what is kept of its requests."""
    shadows: Mapping[str, Shadows] = field(default_factory=dict)
    """By organisation: which models answer copies of its aliases' requests."""


def resolve(table: RouteTable | None, name: str | None, *, pick: float, caller: str | None = None) -> Share:
    """Where a request for this name goes; no name: the default. Among several parts a caller always gets the same one.

    Without a caller `pick`, from 0 to 1, chooses. Raises ModelNotOffered, NoDefaultModel, EngineNotReady.
    """
    routes = table.routes if table is not None else {}
    route = routes.get(name or DEFAULT_ALIAS)
    if route is None or name in RESERVED_NAMES:
        raise _not_there(routes, name)
    ready = [share for share in route.shares if share.target.is_ready]
    if not ready:
        engine_id = route.shares[0].target.engine_id if route.shares else ""
        raise EngineNotReady(f"The engine of {route.name} is not ready for it yet.", engine_id=engine_id)
    return sticky.choose(ready, caller) if caller is not None else _picked(ready, pick)


def least_busy(share: Share, load: Load) -> Share:
    """The same with the engine first that has the fewest requests in work, and is not away if any is not."""
    if not share.others:
        return share
    targets = (share.target, *share.others)
    there = [target for target in targets if target.engine_id not in load.away] or targets
    first = min(there, key=lambda target: load.busy.get(target.engine_id, 0))
    return replace(share, target=first, others=tuple(target for target in targets if target is not first))


def _picked(shares: list[Share], pick: float) -> Share:
    left = pick * sum(share.share for share in shares)
    for share in shares:
        left -= share.share
        if left < 0:
            return share
    return shares[-1]


def _not_there(routes: Mapping[str, Route], name: str | None) -> ModelNotOffered | NoDefaultModel:
    if not name:
        return NoDefaultModel(f"No model was named, and none is the default. {_offered(routes)}")
    if name == DEFAULT_ALIAS:
        return NoDefaultModel(f"No model is the default yet, so 'default' leads nowhere. {_offered(routes)}")
    return ModelNotOffered(f"There is no model {name[:MAX_SHOWN_CHARACTERS]!r} here. {_offered(routes)}")


def _offered(routes: Mapping[str, Route]) -> str:
    names = [name for route in _listed(routes) for name in (route.name, *_other_names(routes, route))]
    if not names:
        return "No model is live."
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return f"There are: {', '.join(names[:MAX_LISTED])}{more}."


def models(table: RouteTable | None) -> list[dict[str, Any]]:
    """Every alias and every model once, by its id, as OpenAI's list of models has them."""
    routes = table.routes if table is not None else {}
    return [_entry(routes, route) for route in _listed(routes)]


def model(table: RouteTable | None, name: str) -> dict[str, Any]:
    """One entry of the list, under the name that was asked for. Raises ModelNotOffered, NoDefaultModel."""
    routes = table.routes if table is not None else {}
    if name not in routes:
        raise _not_there(routes, name)
    return _entry(routes, routes[name])


def _listed(routes: Mapping[str, Route]) -> Iterable[Route]:
    aliases = sorted((route for route in routes.values() if route.kind == "alias"), key=lambda route: route.name)
    by_id = {route.shares[0].model_id: route for route in routes.values() if _is_id(route)}
    return [*aliases, *by_id.values()]


def _is_id(route: Route) -> bool:
    return route.kind != "alias" and route.name == route.shares[0].model_id


def _other_names(routes: Mapping[str, Route], route: Route) -> list[str]:
    if route.kind == "alias":
        return []
    same = [other for other in routes.values() if other.kind != "alias" and other.shares == route.shares]
    return sorted(other.name for other in same if other.name != route.name)


def _entry(routes: Mapping[str, Route], route: Route) -> dict[str, Any]:
    return {
        "id": route.name,
        "object": "model",
        "created": _made_at_s(route.shares[0].model_id),
        "owned_by": "goldsmith",
        "name": route.label or route.name,
        "description": _description(routes, route),
        "kind": route.kind,
        "names": _other_names(routes, route),
        "models": [{"id": share.model_id, "share": share.share} for share in route.shares],
        "is_ready": route.is_ready,
    }


def _description(routes: Mapping[str, Route], route: Route) -> str:
    """A line for a person: what this is, and what else may be sent as `model`."""
    readiness = "" if route.is_ready else ", not ready yet"
    if route.kind == "alias":
        parts = [f"{_label_of(routes, share.model_id)} ({share.share:.0%})" for share in route.shares]
        return f"a stable name that leads to {' and '.join(parts)}{readiness}"
    others = _other_names(routes, route)
    also = (
        f"; `model` may also be {' or '.join(others)}"
        if others
        else "; send its id as `model`, as another has the same name"
    )
    return f"{_KINDS[route.kind]} {route.label or route.name}{readiness}{also}"


def _label_of(routes: Mapping[str, Route], model_id: str) -> str:
    found = routes.get(model_id)
    return found.label or model_id if found is not None else model_id


def _made_at_s(model_id: str) -> int:
    """The second that stands in an id of ours; 0 when there is none."""
    digits = model_id.partition("_")[2][:10]
    if len(digits) < 10 or any(digit not in _ALPHABET for digit in digits):
        return 0
    number = 0
    for digit in digits:
        number = number * 32 + _ALPHABET.index(digit)
    return number // 1000
