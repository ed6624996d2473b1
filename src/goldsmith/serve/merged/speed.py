"""How much faster merged weights are: measured in one engine, in turn, so that both meet the same machine.

The adapter is loaded beside the merged weights for as long as that takes. What it writes there means nothing, but what
it costs does not depend on the weights below it; nothing is read of the answers but how many tokens they have.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldsmith.serve.engine_client import EngineClient, call, make_salt

NUM_ROUNDS = 3
NUM_CALLERS = 8
NUM_TOKENS = 16
_REQUEST_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Contest:
    """Who is measured, and where."""

    url: str
    key: str | None
    merged_name: str
    adapter_name: str
    """A name under which nobody else asks."""
    adapter_folder: Path
    prompts: Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class Speed:
    """Tokens a second of each round, and whether nobody else was asking."""

    adapter: tuple[float, ...]
    merged: tuple[float, ...]
    was_idle: bool

    @property
    def times(self) -> float:
        """How many times as fast merged weights are: the median of the rounds, each against its neighbour."""
        return statistics.median(merged / adapter for adapter, merged in zip(self.adapter, self.merged, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """As it is kept in a job's result."""
        adapter, merged = statistics.median(self.adapter), statistics.median(self.merged)
        return {
            "adapter_tokens_per_second": round(adapter, 2),
            "merged_tokens_per_second": round(merged, 2),
            "times": round(self.times, 2),
            "was_idle": self.was_idle,
            "sentence": self.sentence,
        }

    @property
    def sentence(self) -> str:
        """What it means, with its unit."""
        adapter, merged = statistics.median(self.adapter), statistics.median(self.merged)
        beside = "" if self.was_idle else " Others were asking meanwhile, so this is rough."
        return (
            f"Merged {merged:.1f} tokens/s, with the adapter {adapter:.1f} tokens/s: {self.times:.1f} times as fast "
            f"({NUM_CALLERS} callers at once, {len(self.merged)} rounds in turn, in the same engine).{beside}"
        )


def measure(contest: Contest, report: Callable[[float | None, str | None], None]) -> Speed:
    """Measure both in turn. Raises what the engine client raises."""

    async def rounds(engine: EngineClient) -> Speed:
        was_idle = (await engine.counters()).num_running == 0
        await engine.load_adapter(contest.adapter_name, contest.adapter_folder)
        found: dict[str, list[float]] = {contest.adapter_name: [], contest.merged_name: []}
        try:
            for name in found:
                await _tokens_per_second(engine, name, contest.prompts[:1])  # the first request is slow
            for number in range(NUM_ROUNDS):
                report(number / NUM_ROUNDS, f"round {number + 1} of {NUM_ROUNDS}")
                for name in sorted(found, reverse=number % 2 == 1):
                    found[name].append(await _tokens_per_second(engine, name, contest.prompts))
        finally:
            await engine.unload_adapter(contest.adapter_name)
        return Speed(tuple(found[contest.adapter_name]), tuple(found[contest.merged_name]), was_idle)

    return call(contest.url, contest.key, rounds, timeout_s=_REQUEST_TIMEOUT_S)


async def _tokens_per_second(engine: EngineClient, name: str, prompts: Sequence[tuple[int, ...]]) -> float:
    salt = make_salt()
    # What is measured is writing: the prompts are in the engine's cache when it begins.
    await engine.complete_all(name, prompts, max_tokens=1, salt=salt)
    began = time.monotonic()
    answers = await engine.complete_all(name, prompts, max_tokens=NUM_TOKENS, salt=salt, is_whole_length=True)
    return sum(len(answer.token_ids) for answer in answers) / (time.monotonic() - began)
