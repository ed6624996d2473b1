"""What work cost, as far as a person has said what things cost: money and energy. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

KEY = "cost"
"""Under which a job's result holds it."""
_SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True)
class Cost:
    """Null where no price was given, or nothing has one. `machine_s`: seconds in which this machine was at it."""

    usd: float | None = None
    kwh: float | None = None
    machine_s: float = 0.0

    @classmethod
    def of_result(cls, result: Mapping[str, Any] | None) -> "Cost":
        """What a job's result says."""
        return cls(**(result or {}).get(KEY, {}))

    def to_result(self) -> dict[str, Any]:
        """As a part of a job's result."""
        return {KEY: asdict(self)}


@dataclass(frozen=True)
class Rates:
    """What this machine costs."""

    usd_per_hour: float | None = None
    watts: float | None = None

    def of(self, machine_s: float) -> Cost:
        """What so many seconds cost."""
        hours = machine_s / _SECONDS_AN_HOUR
        return Cost(
            usd=self.usd_per_hour * hours if self.usd_per_hour is not None else None,
            kwh=self.watts * hours / 1000 if self.watts is not None else None,
            machine_s=machine_s,
        )
