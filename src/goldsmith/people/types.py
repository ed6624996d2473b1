"""Who is asking, as a value that every service takes as `by`."""

from dataclasses import dataclass

DEFAULT_DOMAIN = "local"


@dataclass(frozen=True)
class Person:
    """A person of an organisation (`domain`)."""

    id: str
    name: str
    domain: str = DEFAULT_DOMAIN
