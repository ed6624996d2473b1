"""The base model at its best: eight learned rows as examples in the prompt, the same for all exam rows. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Message = dict[str, str]
NUM_EXAMPLES = 8


@dataclass(frozen=True)
class Candidate:
    """A learned row that may become an example; `newness` is larger for a later star."""

    stratum: str
    newness: int
    messages: Sequence[Message]


def choose(candidates: Sequence[Candidate], num: int = NUM_EXAMPLES) -> list[Candidate]:
    """Newest first, one a stratum in turn, until there are enough."""
    newest_first = sorted(candidates, key=lambda one: -one.newness)
    strata: dict[str, list[Candidate]] = {}
    for candidate in newest_first:
        strata.setdefault(candidate.stratum, []).append(candidate)
    chosen: list[Candidate] = []
    while len(chosen) < num and any(strata.values()):
        for waiting in strata.values():
            if waiting and len(chosen) < num:
                chosen.append(waiting.pop(0))
    return chosen


def with_examples(messages: Sequence[Message], examples: Sequence[Candidate]) -> list[Message]:
    """The chat with the examples as earlier turns, between its system text and its question."""
    system = [message for message in messages if message["role"] == "system"][:1]
    asked = list(messages[len(system) :])
    turns = [turn for example in examples for turn in example.messages if turn["role"] != "system"]
    return [*system, *turns, *asked]


def summary(examples: Sequence[Candidate]) -> Mapping[str, int]:
    """How many examples each stratum gave."""
    return {one.stratum: sum(other.stratum == one.stratum for other in examples) for one in examples}
