"""Route tables made by hand: a base model and a tuned one on one engine, and a provider."""

from pathlib import Path

import pytest

from goldsmith.gateway.routes import Tables
from goldsmith.serve.types import Proof, Route, RouteTable, Share, Target
from goldsmith.storage import clock

BASE, TUNED, SLOW = "bm_06FZ2C8K5Q7V3N9T1B4M", "ftm_06FZ2C8K5Q7V3N9T1B4N", "ftm_06FZ2C8K5Q7V3N9T1B4P"


def target(model_id: str, *, is_ready: bool = True, is_ours: bool = True, url: str = "http://127.0.0.1:9") -> Target:
    return Target(url, Path("secrets/none"), model_id, "eng_1", is_ready, is_ours, is_cpu_safe_needed=is_ours)


def share(model_id: str, part: float = 1.0, *, is_ready: bool = True) -> Share:
    return Share(model_id, part, target(model_id, is_ready=is_ready), Proof.PROVED)


def make_table(*routes: Route) -> RouteTable:
    return RouteTable(clock.now(), {route.name: route for route in routes})


@pytest.fixture
def table() -> RouteTable:
    base, tuned = (share(BASE),), (share(TUNED),)
    return make_table(
        Route(BASE, "base", base),
        Route("smollm2", "base", base),
        Route("HuggingFaceTB/SmolLM2", "base", base),
        Route(TUNED, "fine_tuned", tuned),
        Route("support", "fine_tuned", tuned),
        Route(SLOW, "fine_tuned", (share(SLOW, is_ready=False),)),
        Route("default", "alias", tuned),
    )


@pytest.fixture
def tables(table: RouteTable) -> Tables:
    return Tables({"local": table}, {"eng_1": "k3y"})
