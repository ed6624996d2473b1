"""Who is asking, as a value that every service takes as `by`; and the key with which a program asks for them."""

from dataclasses import dataclass

DEFAULT_DOMAIN = "local"


@dataclass(frozen=True)
class Person:
    """A person of an organisation (`domain`)."""

    id: str
    name: str
    domain: str = DEFAULT_DOMAIN


@dataclass(frozen=True)
class Limits:
    """How much a key may ask of the models in a minute, and how much at the same time. None: as much as it likes."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    parallel_requests: int | None = None

    @property
    def has_any(self) -> bool:
        """Whether anything is limited."""
        return any(
            value is not None for value in (self.requests_per_minute, self.tokens_per_minute, self.parallel_requests)
        )


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Holder:
    """Whom a key in force stands for, and how much it may ask."""

    key_id: str
    person: Person
    limits: Limits = NO_LIMITS
