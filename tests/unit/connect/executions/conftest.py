"""A place of conquests in memory, and a base model on a fake engine."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.run.conftest import ana, base_model, context_for, point_engine

from goldsmith.connect.conquests import Conquest, LookedUp, Subject, Subjects, Wanted
from goldsmith.connect.errors import SourceNotAnswering, SubjectNotFound
from goldsmith.connect.types import Fetched, Scope, SourceItem, Wish

__all__ = ["ana", "base_model", "context_for", "point_engine"]
SCOPE = Scope("ada@acme.example", "acme.example")


@dataclass
class FakePlace:
    """Holds eidos, candidates and conquests of one scope."""

    eidos: Mapping[str, Any] = field(default_factory=lambda: {"prompt": "Right for us?"})
    candidates: dict[str, Mapping[str, Any]] = field(
        default_factory=lambda: {f"candidate_{number}": {"name": f"C{number}"} for number in range(1, 200)}
    )
    items: list[SourceItem] = field(default_factory=list)
    stored: dict[str, Conquest] = field(default_factory=dict)
    num_asked: int = 0
    num_failing: int = 0
    """So many times it cannot be written to."""
    name: str = "aristotle"
    title: str = "Aristotle"

    def look_up(self, wanted: Wanted) -> LookedUp:
        self.num_asked += 1
        if wanted.domain not in (None, SCOPE.domain) or any(
            each not in self.candidates for each in wanted.candidate_ids
        ):
            raise SubjectNotFound("There is no such candidate.")
        found = self.subjects(SCOPE, wanted.eidos_id, wanted.candidate_ids)
        assert found.eidos is not None
        return LookedUp(SCOPE, found.eidos, found.candidates[wanted.candidate_ids[0]], ("A column lacks.",))

    def subjects(self, scope: Scope, eidos_id: str, candidate_ids: Collection[str]) -> Subjects:
        assert scope == SCOPE
        there = {each: Subject(each, self.candidates[each], each) for each in candidate_ids if each in self.candidates}
        return Subjects(Subject(eidos_id, self.eidos), there)

    def fetch(self, wish: Wish) -> Fetched:
        assert wish.scope == SCOPE
        return Fetched(self.items)

    def store(self, conquest: Conquest) -> str:
        if self.num_failing:
            self.num_failing -= 1
            raise SourceNotAnswering("It is away.")
        self.stored[conquest.key] = conquest
        return f"conquest_{conquest.key}"


@pytest.fixture
def place() -> FakePlace:
    return FakePlace()
