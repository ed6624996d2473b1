"""What answers cost: a provider's tokens at its prices, and the time in which engines of this machine were asked."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.orm import Session

from goldsmith.jobs.costs import Cost, Rates
from goldsmith.serve.tables import Engine
from goldsmith.serve.types import EngineKind

A_MILLION = 1_000_000
Tokens = tuple[int, int]
"""Of questions, of answers."""


def cost_of(session: Session, served: Mapping[str, Tokens], rates: Rates, machine_s: float) -> Cost:
    """The cost of what engines served, by their ids. An engine that is attached costs nothing that is known here."""
    engines = [(session.get(Engine, engine_id), tokens) for engine_id, tokens in served.items()]
    is_here = any(engine is not None and engine.kind == EngineKind.OURS.value for engine, _ in engines)
    own = rates.of(machine_s) if is_here else Cost(machine_s=machine_s)
    priced = [usd for engine, tokens in engines if engine is not None and (usd := _price(engine, tokens)) is not None]
    parts = [*priced, *([own.usd] if own.usd is not None else [])]
    return replace(own, usd=sum(parts) if parts else None)


def _price(engine: Engine, tokens: Tokens) -> float | None:
    """Dollars; None where no price was given. One that was left out counts as nothing beside one that was not."""
    prices = (engine.input_usd_per_million, engine.output_usd_per_million)
    if prices == (None, None):
        return None
    return sum(num * (price or 0) for num, price in zip(tokens, prices, strict=True)) / A_MILLION
